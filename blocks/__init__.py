"""Configuration with a form in the Prefect UI."""
