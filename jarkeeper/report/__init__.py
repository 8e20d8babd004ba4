"""The report: what happened to the cookies, for a reader, for machines, and for Prefect's UI."""
