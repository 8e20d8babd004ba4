"""Every action on a vault: commits name theirs in the head, all of them in the audit trail."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What somebody did, or tried to do."""

    INIT = "init"
    IMPORT = "import"
    WRITE_BACK = "write-back"
    STAGE = "stage"
    """Storing new cookies aside, until they are tested."""
    PROBE = "probe"
    """What YouTube answered to a jar."""
    ROTATE = "rotate"
    """The staged cookies become active."""
    PROMOTE = "promote"
    RESTORE = "restore"
    REVOKE = "revoke"
    MARK = "mark"
    GC = "gc"
    SETTLE = "settle"
    """An empty commit at a seq whose first write never answered."""
    LEND = "lend"
    OUTLINE = "outline"
    """Looking at the names and expiries in a generation, which opens it."""
    USE = "use"
    """What a lent jar was used for, in numbers."""
    CHECK = "check"
    CHECKPOINT = "checkpoint"
    """The last seq of every writer of the audit trail, so that a cut tail shows."""
    REPAIR = "repair"
    """Publishing the view again."""
    INCIDENT = "incident"
    """Trouble was noticed, or is over; the detail names its cause."""
    REWRAP = "rewrap"
    """The vault's root, then each slot, sealed anew under another key."""
    BACKUP = "backup"
    """Copying the vault elsewhere; on record in the vault that was copied."""
    RECOVER = "recover"
    """Copying a backup into this place."""
