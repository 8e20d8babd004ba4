"""`jarkeeper completion`: what a shell needs to complete our words."""

from __future__ import annotations

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, cli, json_option, pass_invocation
from jarkeeper.cli.output import print_json
from jarkeeper.cli.suggestions import VARIABLE


@click.command(
    "completion",
    epilog="\b\nExamples:\n"
    '  eval "$(jarkeeper completion bash)"\n'
    "  jarkeeper completion zsh > ~/.zfunc/_jarkeeper\n"
    "  jarkeeper completion fish > ~/.config/fish/completions/jarkeeper.fish\n\n"
    "The first line, in ~/.bashrc, is all that bash needs. Commands, options, jars and the "
    "generations in their slots are completed; the last two for a local vault.",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option
@pass_invocation
def command(invocation: Invocation, shell: str) -> Exit:
    """Print the script that completes commands in a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click knows all three
    # Not `source()`, which starts a bash to ask it for its version.
    completion = kind(cli, {}, "jarkeeper", VARIABLE)
    script = completion.source_template % completion.source_vars()
    if invocation.as_json:
        print_json({"shell": shell, "script": script})
    else:
        print(script)
    return Exit.OK
