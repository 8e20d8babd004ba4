"""The checker of histories sees what is wrong with one. Each case here is written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from linearizability import GENESIS, Entry, History, Intent, Operation, violations


def entry(seq, action, writer, *, active="g1", **states):
    return Entry(
        seq=seq,
        digest=f"d{seq}",
        previous=f"d{seq - 1}" if seq > 1 else GENESIS,
        action=action,
        at=f"12:0{seq}",
        writer=writer,
        active=active,
        states={active: "healthy", **states},
    )


LOG = (
    entry(1, "import", "founding", active="g1"),
    entry(2, "import", "importing", active="g2", g1="healthy"),
    entry(3, "settle", "marking", active="g2", g1="healthy"),
    entry(4, "mark", "marking", active="g2", g1="suspect"),
)
DONE = {
    "founding": Operation("founding", "import", 0, 1, "ok", 1, "12:01", generation="g1", tag="one"),
    "looking": Operation("looking", "status", 2, 3, "ok", 1, digest="d1"),
    "lending": Operation("lending", "lend", 2, 3, "ok", 1, generation="g1", tag="one"),
    "importing": Operation(
        "importing", "import", 2.5, 5, "ok", 2, "12:02", generation="g2", tag="two"
    ),
    "losing": Operation("losing", "promote", 2.5, 6, "conflict"),
    "marking": Operation(
        "marking", "mark", 6, 9, "ok", 4, "12:04", generation="g1", state="suspect"
    ),
    "reading": Operation("reading", "history", 8, 9, "ok", 4, past=("d1", "d2", "d3", "d4")),
}
INTENTS = {
    name: Intent(item.kind, "12:00")
    for name, item in DONE.items()
    if item.kind not in ("status", "history")
}


def history(log=LOG, *, without=(), intents=INTENTS, **changed):
    """Return the history above with these operations changed."""
    operations = {
        name: replace(item, **({"intent": name} | changed.get(name, {})))
        for name, item in DONE.items()
        if name not in without
    }
    return History(log, tuple(operations.values()), intents)


def changed_entry(seq, **fields):
    return tuple(replace(item, **fields) if item.seq == seq else item for item in LOG)


def test_a_history_that_can_have_happened_breaks_nothing():
    assert violations(history()) == []


def test_what_never_answered_may_have_happened_or_not():
    unknown = {"result": "unknown", "seq": 0, "at": "", "generation": ""}

    assert violations(history(importing=unknown)) == []
    assert violations(history(importing=unknown | {"ended": 2.6})) == []
    assert violations(history(losing={"result": "unknown"})) == []


BROKEN = {
    "an acknowledged commit is not in the log": (
        history(LOG[:3]),
        "marking (mark): tells of head 4, which is not there",
    ),
    "another one took its place": (
        history(changed_entry(2, writer="losing")),
        "importing (import, ok): the acknowledged head 2 is not its own",
    ),
    "it happened twice": (
        history(changed_entry(4, action="import", writer="importing")),
        "importing (import, ok): acknowledged as head 2, made heads [2, 4]",
    ),
    "an unanswered one happened twice": (
        history(
            changed_entry(4, action="import", writer="importing"),
            without=["marking"],
            importing={"result": "unknown"},
        ),
        "importing (import, unknown): happened more than once, as heads [2, 4]",
    ),
    "what was refused happened": (
        history(marking={"result": "failed"}),
        "marking (mark, failed): made heads [4]",
    ),
    "nobody made a head": (history(without=["importing"]), "head 2: nobody made it"),
    "the chain is broken": (
        history(changed_entry(3, previous="d1")),
        "head 3: does not follow the one before",
    ),
    "a head is missing in between": (
        history((*LOG[:1], *LOG[2:])),
        "head 3: does not follow the one before",
    ),
    "an operation ends in an unheard of way": (
        history(losing={"result": "damage", "error": "IntegrityError('x')"}),
        "losing (promote, damage): ended as no operation may, IntegrityError('x')",
    ),
    "a read comes too late for what it saw": (
        history(looking={"began": 5.5, "ended": 5.8}),
        "importing (import): ended before looking (status) began, but stands behind it, at head 2",
    ),
    "a read saw what nobody had begun": (
        history(looking={"seq": 2, "digest": "d2", "began": 2, "ended": 2.4}),
        "looking (status): ended before importing (import) began, but stands behind it, at head 2",
    ),
    "two reads saw the log go back": (
        history(
            looking={"seq": 2, "digest": "d2", "began": 2, "ended": 2.6},
            lending={"began": 2.7, "ended": 3},
        ),
        "looking (status): ended before lending (lend) began, but stands behind it, at head 2",
    ),
    "a commit stands before one that it came after": (
        history(importing={"began": 10, "ended": 11}),
        "marking (mark): ended before importing (import) began, but stands behind it, at head 4",
    ),
    "a read tells of another head": (
        history(looking={"digest": "d2"}),
        "looking (status): tells of another head 1",
    ),
    "a receipt tells of another head": (
        history(importing={"at": "12:09"}),
        "importing (import): tells of another head 2",
    ),
    "a history is another one": (
        history(reading={"past": ("d1", "d3", "d2", "d4")}),
        "reading (history): is not how the log begins",
    ),
    "a lent jar is another generation's": (
        history(lending={"tag": "two"}),
        "lending (lend): the jar is not the one of its generation",
    ),
    "a lent generation is in no slot": (
        history(lending={"generation": "g2"}),
        "lending (lend): head 1 does not show what was acknowledged",
    ),
    "what was imported is not active": (
        history(importing={"generation": "g1", "tag": "one"}),
        "importing (import): head 2 does not show what was acknowledged",
    ),
    "a mark does not show": (
        history(marking={"state": "dead"}),
        "marking (mark): head 4 does not show what was acknowledged",
    ),
    "an access has no intent": (
        history(intents={name: item for name, item in INTENTS.items() if name != "lending"}),
        "lending (lend): has no intent on record",
    ),
    "an access has the intent of another": (
        history(intents=INTENTS | {"lending": Intent("import", "12:00")}),
        "lending (lend): has no intent on record",
    ),
    "an intent came afterwards": (
        history(intents=INTENTS | {"importing": Intent("import", "12:03")}),
        "importing (import): head 2 is older than its intent",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_history_that_cannot_have_happened_is_found_out(what):
    broken, words = BROKEN[what]

    assert words in violations(broken)
