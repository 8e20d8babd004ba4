import json
import os
import subprocess
import sys

import click
import pytest

from jarkeeper import __version__
from jarkeeper.cli import group
from jarkeeper.cli.exits import Exit, Interrupted, exit_of
from jarkeeper.cli.failures import report
from jarkeeper.cli.group import COMMANDS, cli, run
from jarkeeper.errors import (
    AuditUnavailable,
    Conflict,
    EnvelopeError,
    JarFormatError,
    JarkeeperError,
    KeyUnavailable,
    NotFound,
    NotInitialised,
    SettingsError,
    StoreUnknown,
    TargetError,
)


@pytest.fixture
def failing(monkeypatch):
    """Make `jarkeeper status` raise the error that it is given."""

    def install(error):
        @click.command("status")
        @group.common_options
        def command():
            raise error

        monkeypatch.setattr("jarkeeper.cli.status.command", command)

    return install


def test_the_version_is_told(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"jarkeeper {__version__}\n"


def test_without_a_word_the_help_is_shown(capsys):
    assert run([]) == 0
    assert "First steps:" in capsys.readouterr().out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_has_examples(name, capsys):
    assert run([name, "--help"]) == 0

    text = capsys.readouterr().out
    assert "Examples:\n    " in text or "Examples:\n  " in text
    assert f"jarkeeper {name}" in text.partition("Examples:")[2]
    assert "--json" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_list_of_commands_cuts_no_sentence_short(capsys):
    run(["--help"])

    commands = capsys.readouterr().out.partition("Commands:")[2].partition("First steps")[0]
    assert "..." not in commands
    assert [line.split()[0] for line in commands.splitlines() if line.strip()] == list(COMMANDS)


def test_a_mistyped_command_is_told_with_its_like(capsys):
    assert run(["stauts"]) == 2

    assert capsys.readouterr().err == (
        "jarkeeper: error: 'stauts': no such command\n"
        "hint: did you mean `jarkeeper status`? `jarkeeper --help` lists all\n"
    )


def test_an_unknown_option_is_told_in_one_voice(capsys):
    assert run(["status", "--foo"]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("jarkeeper: error: no such option")
    assert captured.err.endswith("hint: see `jarkeeper status --help`\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JarFormatError("expected 7 fields, got 5", line=12), 2),
        (TargetError("expected a video"), 2),
        (SettingsError(("COOKIE_BACKUP_COUNT: expected a number",)), 2),
        (NotFound("jar 'x': there is none"), 2),
        (click.UsageError("nope"), 2),
        (NotInitialised("no vault"), 3),
        (KeyUnavailable("no key"), 3),
        (EnvelopeError("cannot be opened"), 3),
        (AuditUnavailable("no record"), 3),
        (Conflict("somebody else"), 3),
        (StoreUnknown("no answer"), 3),
        (JarkeeperError("something else"), 1),
        (OSError(28, "No space left on device"), 1),
        (click.Abort(), 130),
        (ZeroDivisionError(), 70),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error, code):
    assert exit_of(error) == code


def test_an_error_is_a_line_and_its_hint_another(failing, capsys):
    failing(NotInitialised("vault '/x': there is none", hint="run `jarkeeper init`"))

    code = run(["status"])

    captured = capsys.readouterr()
    assert code == Exit.VAULT
    assert captured.out == ""
    assert captured.err == (
        "jarkeeper: error: vault '/x': there is none\nhint: run `jarkeeper init`\n"
    )


def test_an_error_is_a_document_for_machines(failing, capsys):
    failing(NotInitialised("vault '/x': there is none", hint="run `jarkeeper init`"))

    code = run(["status", "--json"])

    assert json.loads(capsys.readouterr().out) == {
        "error": "vault '/x': there is none",
        "hint": "run `jarkeeper init`",
        "code": code,
    }


def test_every_mistake_in_the_settings_has_its_line(monkeypatch, capsys):
    monkeypatch.setenv("COOKIE_BACKUP_COUNT", "many")
    monkeypatch.setenv("JARKEEPER_CONCURRENCY", "0")

    assert run(["status"]) == 2
    assert capsys.readouterr().err.count("jarkeeper: error: ") == 2


def test_a_mistake_of_ours_tells_its_place_and_never_its_text(failing, capsys):
    failing(ValueError("SID=secret-cookie-value"))

    assert run(["status", "--json"]) == Exit.INTERNAL

    captured = capsys.readouterr()
    assert "internal error: ValueError in test_cli_group.py:" in captured.err
    assert "secret" not in captured.err + captured.out


def test_ctrl_c_ends_with_a_short_word(failing, capsys):
    failing(KeyboardInterrupt())

    assert run(["status"]) == 130
    assert capsys.readouterr().err.strip() == "jarkeeper: interrupted"


def test_ctrl_c_during_a_run_tells_how_far_it_came_on_a_line_of_its_own(failing, capsys):
    failing(Interrupted("3 of 7 videos are there"))

    assert run(["status"]) == 130
    assert capsys.readouterr().err == "\njarkeeper: interrupted: 3 of 7 videos are there\n"


def test_an_operating_system_error_is_told_without_a_traceback(capsys):
    try:
        open("/nowhere/at/all").close()
    except OSError as error:
        code = report(error, as_json=False)

    assert code == 1
    assert capsys.readouterr().err == (
        "jarkeeper: error: '/nowhere/at/all': no such file or directory\n"
    )


PRINTS_MUCH = """
import sys, click
from jarkeeper.cli import group, status
status.command = click.Command("status", callback=lambda: print("x" * 10_000_000))
sys.exit(group.run(["status"]))
"""


def test_a_reader_that_goes_away_is_told_by_the_exit_code_alone():
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTS_MUCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.read(1)
    process.stdout.close()

    errors = process.stderr.read()
    process.stderr.close()

    assert process.wait(60) == Exit.PIPE_CLOSED
    assert errors == b""


@pytest.mark.parametrize(
    ("words", "code", "both"),
    [
        (["--help"], Exit.PIPE_CLOSED, False),
        (["audit", "--help"], Exit.PIPE_CLOSED, False),
        (["audit", "--since", "soon", "--json"], Exit.USAGE, False),
        (["audit", "--since", "soon"], Exit.USAGE, True),
        (["nonsense"], Exit.USAGE, True),
    ],
)
def test_whatever_ends_a_command_a_pipe_without_a_reader_is_no_traceback(words, code, both):
    reading, writing = os.pipe()
    os.close(reading)

    ended = subprocess.run(
        [sys.executable, "-m", "jarkeeper", *words],
        stdout=writing,
        stderr=writing if both else subprocess.PIPE,
        timeout=60,
    )
    os.close(writing)

    assert ended.returncode == code
    assert both or b"Traceback" not in ended.stderr
    assert both or b"BrokenPipe" not in ended.stderr


def test_vault_and_json_work_before_and_after_the_name(tmp_path, monkeypatch, capsys):
    seen = []

    @click.command("status")
    @group.common_options
    @group.pass_invocation
    def command(invocation):
        seen.append((invocation.settings().vault, invocation.as_json))

    monkeypatch.setattr("jarkeeper.cli.status.command", command)
    monkeypatch.setenv("JARKEEPER_VAULT", "/from/the/environment")

    run(["status"])
    run(["--vault", str(tmp_path), "--json", "status"])
    run(["status", "--json", "--vault", str(tmp_path)])

    assert [str(vault) for vault, _ in seen] == [
        "/from/the/environment",
        str(tmp_path),
        str(tmp_path),
    ]
    assert [as_json for _, as_json in seen] == [False, True, True]


def test_every_command_can_be_found():
    context = click.Context(cli)

    assert all(cli.get_command(context, name).name == name for name in cli.list_commands(context))
