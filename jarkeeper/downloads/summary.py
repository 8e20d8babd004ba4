"""The end of a run: counts, and the cookies' story in words that a user understands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from jarkeeper.downloads.receipts import Outcome, Preparation, Summary, VideoReceipt
from jarkeeper.errors import JarkeeperError
from jarkeeper.heads import SlotState
from jarkeeper.youtube.messages import Event, Lent, Marked, Withheld, WroteBack


def summarise(
    preparation: Preparation,
    *,
    receipts: tuple[VideoReceipt, ...],
    events: tuple[Event, ...],
    stopped: str | None,
    seconds: float,
    trouble: JarkeeperError | None = None,
) -> Summary:
    """Return the summary of a run from what was prepared, what happened, and what arrived."""
    outcomes = Counter(receipt.outcome for receipt in receipts)
    return Summary(
        jar=preparation.jar,
        videos=len(receipts),
        downloaded=outcomes[Outcome.DOWNLOADED],
        already_there=outcomes[Outcome.ALREADY_THERE],
        failed=outcomes[Outcome.FAILED],
        skipped=outcomes[Outcome.SKIPPED],
        put_off=outcomes[Outcome.PUT_OFF],
        slot_states={one.use: one.state for one in events if isinstance(one, Marked)},
        bytes=sum(r.bytes for r in receipts if r.outcome is Outcome.DOWNLOADED),
        seconds=seconds,
        cookie_status=cookie_status(preparation, events, receipts),
        notices=tuple(dict.fromkeys((*notices(events), *_of_trouble(trouble)))),
        stopped=stopped,
        failures=dict(Counter(filter(None, map(_failure_of, receipts)))),
        uses=dict(Counter(r.used for r in receipts if r.used and r.arrived)),
        receipts=receipts,
    )


def _failure_of(receipt: VideoReceipt) -> str | None:
    return None if receipt.outcome is Outcome.PUT_OFF else receipt.failure


def cookie_status(
    preparation: Preparation, events: tuple[Event, ...], receipts: tuple[VideoReceipt, ...]
) -> str:
    """Return how the cookies fared, in one sentence; that they worked takes a video as proof."""
    lent = [event.use for event in events if isinstance(event, Lent)]
    if not lent:
        return preparation.cookie_status
    states = {event.use: event.state for event in events if isinstance(event, Marked)}
    proved = {receipt.used for receipt in receipts if receipt.outcome is Outcome.DOWNLOADED}
    parts = [
        f"{use} jar {_fate(states.get(use), proved=use in proved)}" for use in dict.fromkeys(lent)
    ]
    return ", ".join(parts)


def _fate(state: str | None, *, proved: bool) -> str:
    if state == SlotState.DEAD:
        return "died, import fresh cookies"
    if state == SlotState.COOLING:
        return "must rest, YouTube asked for a pause"
    return "worked" if proved else "was tried, no video came to prove it"


def _of_trouble(error: JarkeeperError | None) -> Iterator[str]:
    if error is not None:
        yield f"what YouTube refreshed last may not have been kept: {error.message}"


def minute(moment: str | None) -> str:
    """Return an ISO 8601 moment as people read it."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M} UTC" if moment else "further notice"


def notices(events: tuple[Event, ...]) -> Iterator[str]:
    """Yield what an operator should know, in order."""
    for event in events:
        match event:
            case Marked(state=SlotState.DEAD):
                yield (
                    f"the {event.use} jar died during the run ({event.reason}): "
                    "export fresh cookies and run `jarkeeper import cookies.txt`"
                )
            case Marked(state=SlotState.COOLING):
                yield f"the {event.use} jar rests until {minute(event.until)} ({event.reason})"
            case WroteBack(refused=None, generation=str(kept)):
                yield f"YouTube refreshed the {event.use} jar, kept as generation {kept[:8]}"
            case WroteBack():
                yield f"what came back from the {event.use} jar was not kept ({event.refused})"
            case Withheld():
                yield f"the {event.use} jar could not be used: {event.reason}"
            case _:
                pass
