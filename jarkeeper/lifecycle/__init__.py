"""A session's life: asked after, kept fresh, replaced in time. Use cases without Prefect."""
