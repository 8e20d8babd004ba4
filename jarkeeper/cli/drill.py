"""`jarkeeper drill`: could a copy of the vault take its place today?"""

from __future__ import annotations

from dataclasses import asdict

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.words import count_of, size, span_taken


@click.command(
    "drill",
    epilog="\b\nExamples:\n"
    "  jarkeeper drill\n"
    "  jarkeeper drill --json\n\n"
    "The vault is copied to a scratch place, recovered from there to another with the key, checked "
    "and compared with the original; the copies are sealed as the vault is, and removed. Exit code "
    "3 where a copy could not take the vault's place.",
)
@common_options
@pass_invocation
def command(invocation: Invocation) -> Exit:
    """Rehearse the disaster: copy, recover, check, compare."""
    from jarkeeper.drill import drill

    settings = invocation.settings()
    with Output(aside=True).busy("copying, recovering and comparing the vault"):
        proof = drill(settings, actor="cli")
    if invocation.as_json:
        print_json(asdict(proof))
        return Exit.OK
    opened = f"{count_of(proof.generations, 'generation')} opened with the key, as they were"
    output = Output()
    output.finding("ok", f"{count_of(proof.jars, 'jar')} recovered: {opened}")
    copied = f"{count_of(proof.objects, 'object')}, {size(proof.bytes)}"
    output.finding("ok", f"{copied}, in {span_taken(proof.seconds)}; nothing of it stays")
    return Exit.OK
