"""How fields of a form are shown, and what may stand in them; no refusal quotes what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from jarkeeper.settings import forms

DAYS_MAX = 3650

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}", re.ASCII)


def optional(*, title: str, description: str, **limits: Any) -> Any:
    """Return a field that may stay empty and is one plain input in Prefect's form."""
    return Field(
        default=None,
        title=title,
        description=description,
        json_schema_extra=as_plain_input,
        **limits,
    )


def as_plain_input(schema: dict[str, Any]) -> None:
    """Take "or null" out of a field's schema: the form would show tabs, 'str' beside 'None'."""
    (wanted,) = (kind for kind in schema.pop("anyOf") if kind != {"type": "null"})
    schema.update(wanted)
    schema.pop("default")  # null, which is not of the type that is left


def emptied(value: object) -> object:
    """Return None for what a form sends where nothing is filled in; text without spaces around."""
    if isinstance(value, str):
        return value.strip() or None
    return None if value == {} else value


def same_place_everywhere(value: Path | None) -> Path | None:
    """Return a path that means the same in every folder: a worker's is made for the run."""
    if value and not value.is_absolute() and value.parts[:1] != ("~",):
        raise ValueError("expected a path that starts with '/' or '~/'")
    return value


def region(text: str) -> str:
    """Return the name of an AWS region."""
    if not _REGION.fullmatch(text):
        raise ValueError("expected the name of an AWS region, such as 'eu-central-1'")
    return text


FORMS: dict[str, Callable[[str], str]] = {
    "bucket": forms.bucket,
    "prefix": forms.prefix,
    "kms_key_id": forms.kms_key,
    "s3_kms_key_id": forms.kms_key,
    "encryption_key_parameter": forms.parameter,
    "region": region,
}
"""The same forms that the environment's variables have."""
