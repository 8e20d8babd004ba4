"""Configuration with a form in the Prefect UI."""

from blocks.cookie_manager import CookieManager

__all__ = ["CookieManager"]
