"""Reading a volume for verification: row by row against the log of checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC
from typing import Any, TypeAlias

from jarkeeper.audit.checkpoints import CheckpointLog
from jarkeeper.audit.discrepancy import Discrepancy
from jarkeeper.audit.events import read_event
from jarkeeper.audit.merkle import leaf_hash
from jarkeeper.audit.places import volume_key
from jarkeeper.audit.told import Told
from jarkeeper.audit.volumes import (
    COLUMNS,
    COUNTED,
    ROWS_MAX,
    Database,
    connected,
    opened,
    plain_rows,
    read_voucher,
)
from jarkeeper.errors import IntegrityError, StoreError, StoreUnknown
from jarkeeper.names import VaultId
from jarkeeper.records import digest
from jarkeeper.stores import Readable

QUIET = ("lend", "outline", "use", "download")
"""What commits nothing, and is most of a trail."""
_TOLD = f"""SELECT jar, max(head_seq), count(*) FILTER (NOT ({COUNTED})), list({{
  'access': access, 'action': action, 'phase': phase, 'outcome': outcome, 'head_seq': head_seq,
  'counts': counts
}}) FILTER (action NOT IN {QUIET}) FROM read_parquet($volume) GROUP BY jar"""  # noqa: S608 - words of our own
"""All in one: asking again takes as long as reading a small volume."""
_UNCOUNTED = f"""SELECT leaf, seq FROM read_parquet($volume)
WHERE NOT ({COUNTED})"""  # noqa: S608 - words of our own

Fields: TypeAlias = tuple[int, str, int, bytes]
"""A `Row`, or the same as a plain tuple."""


@dataclass(slots=True)
class Volume:
    """What was read of a volume, and what is wrong with it at first sight."""

    name: str
    rows: list[Fields] = field(default_factory=list)
    told: list[tuple[Any, ...]] = field(default_factory=list)
    is_vouched: bool = False
    """Whether it is the file that its record vouches for."""
    found: list[Discrepancy] = field(default_factory=list)

    def say(self, what: str, *, leaf: int | None = None) -> None:
        """Name what is wrong with it, or with one of its rows."""
        key = self.name if leaf is None else f"{self.name}#{leaf}"
        self.found.append(Discrepancy("edited", key, f"volume '{self.name}': {what}"))


@dataclass(slots=True)
class Shelf:
    """The volumes of a vault's archive."""

    store: Readable
    key: bytes
    vault: VaultId
    log: CheckpointLog
    told: Told

    def volumes(self, places: Sequence[tuple[str, int]]) -> Iterator[Volume]:
        """Give the volumes by day and number, one after the other."""
        if not places:
            return
        with connected() as database:
            for place in places:
                yield self._read(*place, database)

    def genuine(self, volume: Volume) -> list[Fields]:
        """Return the fields of each genuine row; what is wrong the volume tells afterwards."""
        for jar, seq, _, rows in volume.told:
            self.told.hear_head(jar, seq)
            for row in rows or ():
                self.told.hear_row(jar=jar, **row)
        hashes, size, is_vouched = self.log.hashes, self.log.size, volume.is_vouched
        # What is ahead of the log is vouched for by its volume's record alone: a copy that was
        # interrupted has it so.
        genuine = [
            row
            for row in volume.rows
            if (leaf_hash(row[3]) == hashes[row[0]] if 0 <= row[0] < size else is_vouched)
        ]
        if len(genuine) < len(volume.rows):
            known = set(genuine)
            for leaf, _, seq, _ in (row for row in volume.rows if row not in known):
                volume.say(f"its row of event {seq} is not as written", leaf=leaf)
        if not is_vouched:
            for row in genuine:
                self.told.hear(read_event(row[3], key=self.key, vault=self.vault, name=volume.name))
            if not volume.found:
                volume.say("is not the file that was written")
        return genuine

    def _read(self, day: str, number: int, database: Database) -> Volume:
        volume = Volume(volume_key(day, number))
        try:
            voucher = read_voucher(self.store, day, number, key=self.key, vault=self.vault)
            content = self.store.get(volume.name)
        except StoreUnknown:
            raise
        except (IntegrityError, StoreError) as error:
            volume.say(f"cannot be believed, {error.message}")
            return volume
        volume.is_vouched = digest(content) == voucher.digest
        if volume.is_vouched:
            with opened(content) as place:
                _listen(volume, database, place)
                volume.rows += plain_rows(database, place)
        else:
            with suppress(IntegrityError), opened(content) as place:
                self._read_in_doubt(volume, database, place)
        return volume

    def _read_in_doubt(self, volume: Volume, database: Database, place: str) -> None:
        """Read the rows whose columns say what their lines do."""
        columns = ", ".join(f'"{name}"' for name in ("leaf", "line", *COLUMNS))
        query = f"SELECT {columns} FROM read_parquet($volume) LIMIT $most"  # noqa: S608 - names of our own
        found = database.execute(query, {"volume": place, "most": ROWS_MAX})
        for leaf, line, *values in found.fetchall():
            fields = dict(zip(COLUMNS, values, strict=True))
            if not isinstance(leaf, int) or not isinstance(line, bytes):
                volume.say("has a row of another form")
            elif self._columns_of(line) == fields:
                volume.rows.append((leaf, fields["writer"], fields["seq"], line))
            else:
                what = f"its row of event {fields['seq']} says what its line does not"
                volume.say(what, leaf=leaf)

    def _columns_of(self, line: bytes) -> dict[str, Any]:
        with suppress(IntegrityError):
            event = read_event(line, key=self.key, vault=self.vault, name="event")
            fields = {name: value for name, value in asdict(event).items() if name in COLUMNS}
            return fields | {"at": event.at.astimezone(UTC).replace(tzinfo=None)}
        return {}


def _listen(volume: Volume, database: Database, place: str) -> None:
    volume.told = database.execute(_TOLD, {"volume": place}).fetchall()
    if any(uncounted for _, _, uncounted, _ in volume.told):
        for leaf, seq in database.execute(_UNCOUNTED, {"volume": place}).fetchall():
            volume.say(f"its row of event {seq} has a number beyond any count", leaf=leaf)
