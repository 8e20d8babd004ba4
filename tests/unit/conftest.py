"""Settings for all unit tests."""

from hypothesis import settings

# A busy machine says nothing about the code: growth is measured where it matters.
settings.register_profile("jarkeeper", deadline=None)
settings.load_profile("jarkeeper")
