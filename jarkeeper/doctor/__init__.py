"""The doctor: is this machine fit to keep a vault and to download with it?"""

from jarkeeper.doctor.examination import examine

__all__ = ["examine"]
