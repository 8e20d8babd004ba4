"""Fill a policy in: `python infrastructure/render.py task bucket=my-jars kms_key_arn=… …`.

Prints the document on standard output. Every name that the policy has must be given, and no other;
a prefix may be left out, and `vault_id` until `jarkeeper init` has told it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from string import Template

POLICIES = Path(__file__).parent / "policies"
PREFIXES = ("prefix", "access_logs_prefix", "cloudtrail_prefix")
_VALUE = re.compile(r"[A-Za-z0-9_.:/@+=*-]*", re.ASCII)
DEFAULTS = {"vault_id": "*"} | dict.fromkeys(PREFIXES, "")


def render(policy: str, names: dict[str, str]) -> str:
    """Return the policy as JSON text, or raise `ValueError` that says what is wrong."""
    known = sorted(path.stem for path in POLICIES.glob("*.json"))
    if policy not in known:
        raise ValueError(f"policy '{policy}': expected one of {', '.join(known)}")
    template = Template((POLICIES / f"{policy}.json").read_text())
    wanted = set(template.get_identifiers())
    values = {name: DEFAULTS[name] for name in wanted & DEFAULTS.keys()} | names
    if missing := wanted - values.keys():
        raise ValueError(f"policy '{policy}': expected also {', '.join(sorted(missing))}")
    if unknown := values.keys() - wanted:
        raise ValueError(f"policy '{policy}': has no {', '.join(sorted(unknown))}")
    for name, value in values.items():
        if not _VALUE.fullmatch(value):
            raise ValueError(f"policy '{policy}': {name}: expected letters, digits and _.:/@+=*-")
    for name in PREFIXES:
        if values.get(name):
            values[name] = values[name].strip("/") + "/"
    return json.dumps(json.loads(template.substitute(values)), indent=2)


def main(words: list[str]) -> int:
    """Render what the command line asks for; 2 where it cannot be done."""
    if not words or words[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if words else 2
    try:
        names = dict(word.split("=", 1) for word in words[1:])
        print(render(words[0], names))
    except ValueError as error:
        reason = str(error) if "policy" in str(error) else "expected name=value after the policy"
        print(f"render: error: {reason}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
