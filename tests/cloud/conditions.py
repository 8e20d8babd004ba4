"""IAM condition operators, as AWS documents them: one block of a statement against a request."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

Values = Mapping[str, tuple[str, ...]]
"""What is known about a request: lower-case condition key to its values."""

Compare = Callable[[str, str], bool]

VARIABLE = re.compile(r"\$\{([^}]*)\}")
SPECIAL = {"*": "*", "?": "?", "$": "$"}
NEGATED = ("StringNot", "ArnNot", "NumericNot", "DateNot", "NotIp")


class UnknownOperator(ValueError):
    """A policy uses a condition operator that AWS does not have."""


class Missing(LookupError):
    """A policy variable has no value in this request, so its element matches nothing."""


def hold(block: Mapping[str, Mapping[str, object]], values: Values) -> bool:
    """Say whether every operator of a `Condition` block holds."""
    return all(
        _holds(operator, values.get(key.lower()), [_expand(x, values) for x in as_list(wanted)])
        for operator, keys in block.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, actual: tuple[str, ...] | None, wanted: list[str | None]) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if name == "Null":
        return all((actual is None) == (x == "true") for x in wanted)
    if_exists, name = name.endswith("IfExists"), name.removesuffix("IfExists")
    negated = name.startswith(NEGATED)
    compare = _operator(name)
    if actual is None:
        return if_exists or quantifier == "ForAllValues" or (negated and not quantifier)
    if negated and None in wanted:
        return False  # a variable without a value matches nothing, not even by being different
    verdicts = [any(x is not None and compare(a, x) for x in wanted) != negated for a in actual]
    if quantifier == "ForAllValues":
        return all(verdicts)
    if quantifier == "ForAnyValue":
        return any(verdicts)
    return all(verdicts) if negated else any(verdicts)


def _operator(name: str) -> Compare:
    positive = {"NotIpAddress": "IpAddress"}.get(name, name.replace("Not", "", 1))
    if positive not in OPERATORS:
        raise UnknownOperator(f"condition operator '{name}': there is none of that name")
    return OPERATORS[positive]


def as_list(value: object) -> list[str]:
    """Return what a policy gives as one value or as many, as strings as IAM compares them."""
    many = value if isinstance(value, list | tuple) else [value]
    return [str(x).lower() if isinstance(x, bool) else str(x) for x in many]


def glob(pattern: str, text: str) -> bool:
    """Match `*` and `?` over the whole text; `${*}`, `${?}` and `${$}` stand for themselves."""
    return re.fullmatch(_regex(pattern), text, re.DOTALL) is not None


def _regex(pattern: str) -> str:
    parts = re.split(r"(\$\{[*?$]\}|[*?])", pattern)
    wild = {"*": ".*", "?": ".", "${*}": r"\*", "${?}": r"\?", "${$}": r"\$"}
    return "".join(wild.get(part, re.escape(part)) for part in parts)


def expand(text: str, values: Values) -> str:
    """Put the request's values in place of `${…}`; wildcards in them match only themselves."""

    def replace(found: re.Match[str]) -> str:
        name, _, default = (x.strip() for x in found[1].partition(","))
        if name in SPECIAL:
            return found[0]
        known = values.get(name.lower())
        if known is not None and len(known) == 1:
            return re.sub(r"[*?$]", lambda special: f"${{{special[0]}}}", known[0])
        if default:
            return default.strip("'")
        raise Missing(name)

    return VARIABLE.sub(replace, text)


def _expand(text: str, values: Values) -> str | None:
    try:
        return expand(text, values)
    except Missing:
        return None


def literal(text: str) -> str:
    """Return the text that `${*}`, `${?}` and `${$}` stand for."""
    return re.sub(r"\$\{([*?$])\}", r"\1", text)


def arn_matches(pattern: str, arn: str) -> bool:
    """Match an ARN part by part: a `*` before the sixth part never reaches over a colon."""
    if pattern == "*":
        return True
    wanted, actual = _arn(pattern), _arn(arn)
    return len(wanted) == len(actual) and all(map(glob, wanted, actual))


def _arn(text: str) -> list[str]:
    return text.split(":", 5)


def _number(test: Callable[[float, float], bool]) -> Compare:
    return _safely(lambda actual, wanted: test(float(actual), float(wanted)))


def _date(test: Callable[[float, float], bool]) -> Compare:
    return _safely(lambda actual, wanted: test(_seconds(actual), _seconds(wanted)))


def _seconds(text: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _safely(compare: Compare) -> Compare:
    def cautious(actual: str, wanted: str) -> bool:
        try:
            return compare(actual, wanted)
        except ValueError:
            return False

    return cautious


def _in_network(actual: str, wanted: str) -> bool:
    return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)


def _orders(kind: Callable[[Callable[[float, float], bool]], Compare], name: str) -> Iterable:
    yield f"{name}Equals", kind(lambda a, w: a == w)
    yield f"{name}LessThan", kind(lambda a, w: a < w)
    yield f"{name}LessThanEquals", kind(lambda a, w: a <= w)
    yield f"{name}GreaterThan", kind(lambda a, w: a > w)
    yield f"{name}GreaterThanEquals", kind(lambda a, w: a >= w)


OPERATORS: dict[str, Compare] = {
    "StringEquals": lambda actual, wanted: actual == literal(wanted),
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == literal(wanted).lower(),
    "StringLike": lambda actual, wanted: glob(wanted, actual),
    "ArnEquals": lambda actual, wanted: arn_matches(wanted, actual),
    "ArnLike": lambda actual, wanted: arn_matches(wanted, actual),
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "BinaryEquals": lambda actual, wanted: actual == wanted,
    "IpAddress": _safely(_in_network),
    **dict(_orders(_number, "Numeric")),
    **dict(_orders(_date, "Date")),
}
