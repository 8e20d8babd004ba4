"""Reading a volume for verification: row by row against the log of checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
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
    Row,
    connected,
    opened,
    plain_rows,
    read_voucher,
)
from jarkeeper.errors import IntegrityError, StoreError
from jarkeeper.names import VaultId
from jarkeeper.records import digest
from jarkeeper.stores import Readable

QUIET = ("lend", "outline", "use", "download")
"""What commits nothing, and is most of a trail."""
_LOUD = f"""SELECT access, action, phase, outcome, jar, head_seq, counts
FROM volume WHERE action NOT IN {QUIET}"""  # noqa: S608 - words of our own
_HEADS = f"""SELECT jar, max(head_seq), count(*) FILTER (NOT ({COUNTED}))
FROM volume GROUP BY jar"""  # noqa: S608 - words of our own

Fields: TypeAlias = tuple[int, str, int, bytes]
"""A `Row`, or the same as a plain tuple."""


@dataclass(slots=True)
class Shelf:
    """The volumes of a vault's archive."""

    store: Readable
    key: bytes
    vault: VaultId
    log: CheckpointLog
    told: Told
    found: list[Discrepancy] = field(default_factory=list)
    _database: Database | None = None
    """One for all volumes, from the first on."""

    def rows(self, day: str, number: int) -> Iterator[Fields]:
        """Give the fields of each genuine row; what is wrong is in `found` afterwards."""
        name = volume_key(day, number)
        try:
            voucher = read_voucher(self.store, day, number, key=self.key, vault=self.vault)
            content = self.store.get(name)
        except (IntegrityError, StoreError) as error:
            self._say(name, f"cannot be believed, {error.message}")
            return
        if digest(content) == voucher.digest:
            with self._opened(content) as database:
                self._listen(name, database)
                yield from self._genuine(name, plain_rows(database))
            return
        before = len(self.found)
        with suppress(IntegrityError):
            yield from self._genuine(name, self._as_read(name, content), is_vouched=False)
        if len(self.found) == before:
            self._say(name, "is not the file that was written")

    def _genuine(
        self, name: str, rows: Iterable[Fields], *, is_vouched: bool = True
    ) -> Iterator[Fields]:
        hashes, size = self.log.hashes, self.log.size
        for row in rows:
            leaf, _, seq, line = row
            # What is ahead of the log is vouched for by its volume's record alone: a copy that was
            # interrupted has it so.
            is_ahead = leaf >= size and is_vouched
            if not is_ahead and (leaf >= size or leaf_hash(line) != hashes[leaf]):
                self._say(f"{name}#{leaf}", f"its row of event {seq} is not as written")
            else:
                yield row

    def _as_read(self, name: str, content: bytes) -> Iterator[Row]:
        """Give the rows whose columns say what their lines do."""
        with self._opened(content) as database:
            columns = ", ".join(f'"{name}"' for name in ("leaf", "line", *COLUMNS))
            query = f"SELECT {columns} FROM volume LIMIT $most"  # noqa: S608 - names of our own
            found = database.execute(query, {"most": ROWS_MAX}).fetchall()
        for leaf, line, *values in found:
            fields = dict(zip(COLUMNS, values, strict=True))
            row = Row(leaf, fields["writer"], fields["seq"], line)
            if not isinstance(leaf, int) or not isinstance(line, bytes):
                self._say(name, "has a row of another form")
            elif self._columns_of(line) == fields:
                yield row
            else:
                self._say(
                    f"{name}#{leaf}", f"its row of event {row.seq} says what its line does not"
                )

    def _columns_of(self, line: bytes) -> dict[str, Any]:
        with suppress(IntegrityError):
            event = read_event(line, key=self.key, vault=self.vault, name="event")
            fields = {name: value for name, value in asdict(event).items() if name in COLUMNS}
            return fields | {"at": event.at.astimezone(UTC).replace(tzinfo=None)}
        return {}

    def _opened(self, content: bytes) -> AbstractContextManager[Database]:
        if self._database is None:
            self._database = connected()
        return opened(content, database=self._database)

    def close(self) -> None:
        """Give back what reading needed."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _listen(self, name: str, database: Database) -> None:
        uncounted = 0
        for jar, seq, wrong in database.execute(_HEADS).fetchall():
            self.told.hear_head(jar, seq)
            uncounted += wrong
        if uncounted:
            self._name_uncounted(name, database)
        rows = database.execute(_LOUD)
        for row in rows.fetchall():
            self.told.hear_row(*row)

    def _name_uncounted(self, name: str, database: Database) -> None:
        """Name the events with numbers that nobody counted."""
        query = f"SELECT leaf, seq FROM volume WHERE NOT ({COUNTED})"  # noqa: S608 - words of our own
        for leaf, seq in database.execute(query).fetchall():
            self._say(f"{name}#{leaf}", f"its row of event {seq} has a number beyond any count")

    def _say(self, name: str, what: str) -> None:
        self.found.append(Discrepancy("edited", name, f"volume '{name}': {what}"))
