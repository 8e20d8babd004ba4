import json
import logging
import pickle
import re
import socket
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from incidentkit import STEPS, Remembering, condition, journal_in
from jarkeeper.alerts import Plan, deliver, message_of, open_channels, parse_plan, read_plan
from jarkeeper.alerts.deliver import Delivery, send
from jarkeeper.checks import Severity
from jarkeeper.cli.group import run
from jarkeeper.errors import SettingsError
from jarkeeper.incidents import Cause, NoticeKind, rules, scope_of
from jarkeeper.settings import Settings
from jarkeeper.watch import report
from jarkeeper.youtube.session import start_worker
from vaultkit import START, Clock

TOKEN = "t0ken-9b1f44c7"
URL = f"json://127.0.0.1:{{port}}/{TOKEN}"


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def webhook():
    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        server.heard, server.status = [], 200
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def alerts(tmp_path, webhook, monkeypatch):
    """A machine whose alerts go to the webhook; returns its settings."""
    file = tmp_path / "alerts.toml"
    file.write_text(f'[recipients]\nops = ["{URL.format(port=webhook.server_port)}"]\n')
    file.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JARKEEPER_ALERTS_FILE", str(file))
    monkeypatch.setenv("JARKEEPER_VAULT", str(tmp_path / "vault"))
    monkeypatch.setenv("JARKEEPER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("JARKEEPER_KEY_FILE", str(tmp_path / "key"))
    return Settings.read()


GOOD = f"""
[recipients]
ops = ["slack://{TOKEN}/b/c", "env:OTHER"]
boss = ["sns:arn:aws:sns:eu-central-1:123456789012:alerts", "prefect-block:slack-webhook/boss"]
[[steps]]
to = ["ops"]
[[steps]]
after_minutes = 60
severity = "critical"
to = ["ops", "boss"]
"""


def mistakes(text):
    with pytest.raises(SettingsError) as caught:
        parse_plan(text, source="file")
    assert TOKEN not in str(caught.value) + repr(caught.value.mistakes)
    return caught.value.mistakes


def test_a_plan_has_recipients_and_steps_and_does_not_show_them():
    plan = parse_plan(GOOD, source="file")

    assert [(step.after_minutes, step.severity, step.to) for step in plan.steps] == [
        (0, Severity.WARNING, ("ops",)),
        (60, Severity.CRITICAL, ("ops", "boss")),
    ]
    assert TOKEN not in repr(plan)
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(plan)


def test_without_steps_everybody_is_told_at_once_and_again():
    plan = parse_plan('[recipients]\nops = ["env:URL"]', source="file")

    assert [(step.after_minutes, step.severity.value) for step in plan.steps] == [
        (0, "warning"),
        (0, "critical"),
        (60, "critical"),
        (1440, "critical"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected recipients"),
        (f'ops = "{TOKEN}', "expected TOML, got a mistake at"),
        (f'[recipients]\n"{TOKEN} x" = ["env:A"]', "recipient 1: expected a name"),
        (f'[recipients]\nops = "{TOKEN}"', "recipient 'ops': expected a list"),
        (f'[recipients]\nops = ["{TOKEN}"]', "recipient 'ops' entry 1: expected a URL"),
        (f'[recipients]\nops = ["env:A"]\n[[steps]]\nto = ["{TOKEN}"]', "step 1: to: expected"),
        ('[recipients]\nops = ["env:A"]\n[[steps]]\nseverity = "ok"', "step 1: severity"),
        ('[recipients]\nops = ["env:A"]\n[[steps]]\nafter_minutes = -1', "step 1: after_minutes"),
        ('[recipients]\nops = ["env:A"]\n[[steps]]\nafter = 1', "step 1: expected after_minutes"),
        ("steps = 1\n[recipients]\n", "steps: expected at most"),
        (f"{TOKEN.replace('-', '')} = 1", "expected nothing but"),
        (f"steps = {'9' * 5000}", "expected TOML"),
        ('[recipients]\nops = ["env:A"]\n[[steps]]\nto = [["ops"]]', "step 1: to: expected"),
        ('[recipients]\nops = ["env:A"]\n[[steps]]\nto = [{a = 1}]', "step 1: to: expected"),
        ('[recipients]\nops = ["env:A"]\n[[steps]]\nseverity = {a = 1}', "step 1: severity"),
    ],
)
def test_a_mistake_is_named_by_its_place_and_never_quoted(text, told):
    assert mistakes(text)[0].startswith(f"file: {told}")


def test_all_mistakes_are_told_at_once():
    assert len(mistakes(f'[recipients]\nops = ["{TOKEN}", 7]\nboss = []')) == 3


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_refused(alerts, mode):
    alerts.alerts_file.chmod(mode)

    with pytest.raises(SettingsError, match=f"expected mode 0600, got 0{mode:o}"):
        read_plan(alerts)


def test_the_text_can_stand_in_the_environment_but_not_beside_a_file():
    settings = Settings.read({"HOME": "/", "JARKEEPER_ALERTS": GOOD})

    assert len(read_plan(settings).steps) == 2
    assert TOKEN not in repr(settings)
    with pytest.raises(SettingsError, match="got both"):
        Settings.read({"HOME": "/", "JARKEEPER_ALERTS": GOOD, "JARKEEPER_ALERTS_FILE": "/x"})
    with pytest.raises(SettingsError) as caught:
        Settings.read({"HOME": "/", "JARKEEPER_ALERTS": TOKEN})
    assert TOKEN not in str(caught.value)


def test_a_message_says_what_happened_what_was_done_and_what_to_do():
    incident = rules.opened(condition(message="died\x1b[2J\nhere"), now=START, id="id")

    message = message_of(incident, NoticeKind.OPENED, place="/vault", now=START)

    assert message.title == "Jarkeeper: session-dead: jar 'youtube': critical"
    assert message.body.splitlines() == [
        "What happened: died�[2J�here",
        "What Jarkeeper did: failed over to the backup",
        "What you must do: run `jarkeeper import cookies.txt`",
        "Since: 2026-06-01 12:00 UTC (less than a minute)",
        "Concerns: jar 'youtube' in /vault",
        "More: `jarkeeper incidents`, docs/runbooks/alerts.md#session-dead",
    ]
    assert json.dumps(message.document)


def test_a_message_calls_nobody_in_a_chat():
    loud = condition(message="<!channel> <@U1> @everyone @Here mail ops@herein.example")

    message = message_of(incident_of(loud), NoticeKind.OPENED, place="/v", now=START)

    assert not re.search("<[!@]|@everyone|@here", message.body, re.IGNORECASE)
    assert message.document["message"] == loud.message


@pytest.mark.parametrize(
    "markup",
    [
        "@all",
        "@room",
        "\uff20everyone",
        "<users/all>",
        "<https://x.example|log in>",
        "[a](https://x)",
    ],
)
def test_a_message_holds_no_markup_of_a_chat(markup):
    found = condition(message=markup)

    message = message_of(incident_of(found), NoticeKind.OPENED, place="/v", now=START)

    assert markup not in message.body
    assert markup in message.body.replace("\N{ZERO WIDTH SPACE}", "")


def test_a_service_that_takes_html_is_sent_html(webhook):
    plan = Plan({"ops": (URL.format(port=webhook.server_port) + "?format=html",)}, ())
    message = message_of(
        incident_of(condition(message="<b>x</b> & y")), NoticeKind.OPENED, place="/v", now=START
    )

    assert send(message, open_channels(plan, Settings.read({"HOME": "/"}))) == {}

    body = webhook.heard[0][1]["message"]
    assert "&lt;b&gt;x&lt;/b&gt; &amp; y<br/>" in body.replace("&nbsp;", " ")
    assert "\n" not in body


def test_trouble_that_ended_before_anybody_was_told_is_told_with_its_end():
    clock = Clock()
    journal, channel = journal_in(clock=clock), Remembering()
    for found in [condition()], []:  # and the process died before it told
        journal.reconcile(found, scope=scope_of(Cause, "youtube"))
        clock.advance(minutes=31)

    deliver(journal, Plan({"ops": ("a",)}, STEPS[:1]), [channel], place="/v", now=clock())

    assert channel.kinds == ["closed"]
    assert "What happened: the session ended" in channel.sent[0].body


def test_the_end_is_told_with_its_duration():
    incident = rules.opened(condition(jar=""), now=START, id="id")
    closed = rules.next_state(incident, None, now=START.replace(hour=15), new_id="other")

    message = message_of(closed, NoticeKind.CLOSED, place="/vault", now=START.replace(hour=16))

    assert message.title == "Jarkeeper: session-dead: the vault: over after 3 hours"
    assert "What you must do: nothing, it is over" in message.body
    assert "Until: 2026-06-01 15:00 UTC" in message.body


def test_a_channel_that_fails_is_told_and_only_it_is_tried_again():
    clock = Clock()
    journal = journal_in(clock=clock)
    journal.reconcile([condition()], scope=scope_of(Cause, "youtube"))
    good, bad = Remembering(), Remembering(number=2, fails=True)
    plan = Plan({"ops": ("a", "b")}, STEPS[:1])
    tell = lambda: deliver(journal, plan, [good, bad], place="/v", now=clock())  # noqa: E731

    first, at_once = tell(), tell()
    clock.advance(minutes=1)
    second = tell()
    bad.fails = False
    clock.advance(minutes=5)
    third, fourth = tell(), tell()

    assert first.failures == second.failures == ("channel 'ops 2': did not take it",)
    assert at_once == Delivery()
    assert (len(first.sent), len(second.sent), len(third.sent), fourth.sent) == (1, 0, 1, ())
    assert (good.kinds, bad.kinds) == (["opened"], ["opened"])


def test_a_channel_that_breaks_ends_no_examination():
    class Breaking(Remembering):
        def send(self, message):
            raise RuntimeError(TOKEN)

    assert send("message", [Breaking()]) == {"ops 1": "channel 'ops 1': failed, RuntimeError"}


def test_a_channel_that_drips_is_left_to_itself(monkeypatch):
    monkeypatch.setattr(sys.modules[send.__module__], "CHANNEL_SECONDS", 0.1)
    enough = threading.Event()

    class Dripping(Remembering):
        def send(self, message):
            enough.wait(5)

    began = time.monotonic()
    failures = send("message", [Dripping()])
    enough.set()

    assert time.monotonic() - began < 2
    assert failures == {"ops 1": "channel 'ops 1': no answer in 0 s"}


def test_a_slow_channel_is_sent_the_same_a_few_times_only(monkeypatch):
    monkeypatch.setattr(sys.modules[send.__module__], "CHANNEL_SECONDS", 0.01)
    clock, taken = Clock(), []
    journal = journal_in(clock=clock)
    journal.reconcile([condition()], scope=scope_of(Cause, "youtube"))

    class Slow(Remembering):
        def send(self, message):
            taken.append(message)
            time.sleep(0.1)

    for _ in range(4 * 24):
        deliver(journal, Plan({"ops": ("a",)}, STEPS[:1]), [Slow()], place="/v", now=clock())
        clock.advance(minutes=15)

    assert len(taken) == 3


def test_slow_channels_make_no_claim_grow_old():
    clock, sent = Clock(), []
    journal, causes = journal_in(clock=clock), list(Cause)[:3]
    scope = scope_of(causes, "youtube")
    journal.reconcile([condition(cause=cause) for cause in causes], scope=scope)
    plan = Plan({"ops": ("a",)}, STEPS[:1])

    class Slow(Remembering):
        def send(self, message):
            sent.append(message.document["cause"])
            clock.advance(minutes=9)
            if len(sent) == 3:  # another process examines meanwhile
                other = journal_in(journal._store, clock=clock)
                deliver(other, plan, [Remembering(sent=self.sent)], place="/v", now=clock())

    slow = Slow()
    deliver(journal, plan, [slow], place="/v", now=clock())

    assert len(sent) == 3
    assert slow.sent == []


def test_a_service_that_drips_keeps_none_after_it_from_being_told(webhook, monkeypatch):
    monkeypatch.setattr(sys.modules[send.__module__], "CHANNEL_SECONDS", 0.5)
    url = URL.format(port=webhook.server_port)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        dripping = URL.format(port=silent.getsockname()[1])
        plan = Plan({"ops": (dripping, url)}, ())
        message = message_of(incident_of(condition()), NoticeKind.OPENED, place="/v", now=START)

        failures = send(message, open_channels(plan, Settings.read({"HOME": "/"})))

    assert list(failures) == ["ops 1"]
    assert len(webhook.heard) == 1


def incident_of(found):
    return rules.opened(found, now=START, id="id")


def test_an_incident_reaches_a_webhook_once(alerts, webhook, caplog, capsys):
    caplog.set_level(logging.DEBUG, logger="jarkeeper")
    out_of_reach = condition(cause=Cause.STORE, jar="")

    for _ in range(3):
        done = report(alerts, None, [out_of_reach], scope=scope_of([Cause.STORE], ""))

    assert done.warnings == done.delivery.failures == ()
    ((path, document),) = webhook.heard
    assert path == f"/{TOKEN}"
    assert document["title"] == "Jarkeeper: store: the vault: critical"
    assert "What Jarkeeper did: failed over" in document["message"]
    assert run(["incidents", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["incidents"][0]["cause"] == "store"


def test_what_kept_the_vault_closed_is_over_when_it_opens(alerts, webhook, capsys):
    from jarkeeper.wiring import open_vault

    locked, dead = condition(cause=Cause.STORE, jar=""), condition()
    put_off = report(alerts, None, [locked, dead], scope=scope_of(Cause, "", "youtube"))
    assert run(["init"]) == 0

    back = report(alerts, open_vault(alerts), [dead], scope=scope_of(Cause, "youtube"))

    assert [item.cause for item in put_off.changes.opened] == [Cause.STORE]
    assert "session-dead: not on record until" in put_off.warnings[0]
    assert [item.cause for item in back.changes.opened] == [Cause.SESSION_DEAD]
    assert [item.cause for item in back.changes.closed] == [Cause.STORE]
    capsys.readouterr()
    assert run(["incidents"]) == 0
    assert "critical: the session ended\n  next: run `jarkeeper import" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["validate", "refresh", "health", "rotate"])
def test_a_command_that_finds_the_vault_gone_tells_who_must_know(command, alerts, webhook):
    assert run([command]) == 3

    assert [document["title"] for _, document in webhook.heard] == [
        "Jarkeeper: store: the vault: critical"
    ]


def test_a_planted_record_is_told_beside_what_is_wrong_and_mutes_nobody(alerts, webhook, capsys):
    from jarkeeper.wiring import open_vault

    assert run(["init"]) == 0
    planted = alerts.vault / "incidents/nosuchjar/session-dead/000000000001.json"
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"x")
    capsys.readouterr()
    assert run(["incidents"]) == 3
    assert "nothing is wrong" not in capsys.readouterr().err

    for _ in range(2):
        report(alerts, open_vault(alerts), [condition()], scope=scope_of(Cause, "youtube"))

    assert sorted(document["title"] for _, document in webhook.heard) == [
        "Jarkeeper: integrity: the vault: critical",
        "Jarkeeper: session-dead: jar 'youtube': critical",
    ]
    assert run(["check"]) == 3


def test_each_trouble_that_a_log_cannot_take_is_told_from_the_state_directory(alerts, webhook):
    from jarkeeper.wiring import open_vault

    assert run(["init"]) == 0
    logs = [alerts.vault / "incidents/youtube" / name for name in ("no-backup", "session-dead")]
    for taken in logs:
        taken.parent.mkdir(parents=True, exist_ok=True)
        taken.write_bytes(b"")  # where a folder should be
    here, backup = scope_of(Cause, "youtube"), condition("warning", cause=Cause.NO_BACKUP)
    tell = lambda *found: report(alerts, open_vault(alerts), found, scope=here)  # noqa: E731

    tell(backup, condition(cause=Cause.EXPIRY))
    worse = tell(backup, condition())
    logs[1].unlink()
    mended = tell(backup, condition())
    over = tell(backup)

    assert [item.cause for item in worse.changes.opened] == [Cause.SESSION_DEAD]
    titles = Counter(document["title"].split(":")[1].strip() for _, document in webhook.heard)
    assert titles == {"store": 1, "no-backup": 1, "expiry": 1, "session-dead": 2}
    assert "not on record in the vault" in str(webhook.heard)
    assert [item.cause for item in mended.changes.closed] == []
    assert [item.cause for item in over.changes.closed] == [Cause.SESSION_DEAD] * 2


def test_a_mistake_in_the_plan_loses_no_incident(alerts):
    alerts.alerts_file.chmod(0o644)

    done = report(alerts, None, [condition(cause=Cause.STORE, jar="")], scope=scope_of(Cause, ""))

    assert len(done.changes.opened) == 1
    assert "expected mode 0600" in done.warnings[0]


@pytest.mark.parametrize("status", [200, 404])
def test_a_test_tells_what_each_channel_answered_and_no_token(
    status, alerts, webhook, caplog, capsys
):
    caplog.set_level(logging.DEBUG)
    webhook.status = status

    code = run(["alerts", "test"])
    listed = run(["alerts", "list"])

    captured = capsys.readouterr()
    told = captured.out.splitlines()[0]
    if status == 200:
        assert (code, told) == (0, "ok: channel 'ops 1' (json): took it")
    else:
        assert (code, told) == (1, "critical: channel 'ops 1' (json): did not take it, HTTP 404")
    assert listed == 0
    assert "ops      json" in captured.out
    assert TOKEN not in captured.out + captured.err + caplog.text


def test_a_channel_that_cannot_be_meant_is_told_by_the_list(alerts, capsys, monkeypatch):
    alerts.alerts_file.write_text(f'[recipients]\nops = ["nosuch://{TOKEN}", "env:NOWHERE"]\n')

    assert run(["alerts", "list"]) == 2

    told = capsys.readouterr().err
    assert "recipient 'ops' entry 1: Apprise does not understand its 'nosuch' URL" in told
    assert "recipient 'ops' entry 2: expected an entry in the variable NOWHERE" in told
    assert TOKEN not in told


def test_an_entry_can_stand_in_a_variable(webhook):
    plan = parse_plan('[recipients]\nops = ["env:OPS"]', source="file")
    url = URL.format(port=webhook.server_port)

    (channel,) = open_channels(plan, Settings.read({"HOME": "/"}), {"OPS": url})

    assert (channel.label, channel.kind) == ("ops 1", "json")
    assert TOKEN not in repr(channel)


def test_the_worker_is_given_no_recipients(alerts, monkeypatch, tmp_path):
    given = {}
    monkeypatch.setattr("subprocess.Popen", lambda *_, **options: given.update(options["env"]))

    start_worker(alerts, tmp_path)

    assert "JARKEEPER_VAULT" in given
    assert not [name for name in given if "ALERTS" in name]
