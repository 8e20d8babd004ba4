"""What `jarkeeper import` says: what was found, what was left out, how long it should live."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jarkeeper.checks import IMPORT
from jarkeeper.cli.inputs import is_standard_input
from jarkeeper.cli.output import Output
from jarkeeper.jar import Form
from jarkeeper.slots import SlotState
from jarkeeper.words import count_of

if TYPE_CHECKING:
    from jarkeeper.facts import Probed
    from jarkeeper.health import SlotHealth
    from jarkeeper.jar import ParsedJar
    from jarkeeper.vault import ImportReceipt

FORMS = {
    Form.NETSCAPE: "a Netscape cookie file",
    Form.JSON: "a JSON export",
    Form.HEADER: "a Cookie header",
    Form.BROWSER: "a browser's profile",
}


@dataclass(frozen=True, slots=True)
class TakenIn:
    """An import that happened, or that was not necessary."""

    receipt: ImportReceipt
    parsed: ParsedJar
    probed: Probed | None
    slots: tuple[SlotHealth, ...]
    changed: bool
    same_account: bool | None = None
    """Whether they are of the account whose cookies were active; None while that is not known."""

    @property
    def is_critical(self) -> bool:
        """Whether what is active now does not work."""
        signed_out = self.probed is not None and not self.probed.alive
        return signed_out or self.slots[0].severity == "critical"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; there is no secret in it."""
        receipt = self.receipt
        probe = (
            None
            if self.probed is None
            else {"alive": self.probed.alive, "same_account": self.same_account}
        )
        return {
            "jar": receipt.jar,
            "generation": receipt.generation,
            "fingerprint": receipt.fingerprint,
            "head_seq": receipt.head_seq,
            "form": self.parsed.form,
            "cookies": receipt.facts.cookies,
            "dropped": receipt.dropped,
            "repeated": self.parsed.repeated,
            "login_until": receipt.facts.login_until,
            "probe": probe,
            "warnings": list(receipt.warnings),
            "slots": [slot.as_dict() for slot in self.slots],
            "changed": self.changed,
            "verified": self.changed,
        }

    def print(self, file: Path | None) -> None:
        """Say it in words; `file` is what the cookies came from, if they came from one."""
        output = Output()
        output.finding("ok", self._found())
        if self.probed is not None:
            output.finding(*self._answer(self.probed))
        if self.changed:
            output.finding("ok", self._sealed())
        for warning in self.receipt.warnings:
            output.finding("warning", warning)
        for finding in self.slots[0].findings:
            output.finding(finding.severity, finding.message, finding.next_step)
        self._print_backup(output)
        if file is not None and not is_standard_input(file):
            output.entry("next", f"delete {file}: it is not needed any more")

    def _found(self) -> str:
        found = count_of(len(self.parsed.jar), "cookie")
        dropped = f"; {self.parsed.dropped} of other sites left out" if self.parsed.dropped else ""
        return f"read as {FORMS[self.parsed.form]}: {found}{dropped}"

    def _sealed(self) -> str:
        count = count_of(self.receipt.facts.cookies, "cookie")
        jar = self.receipt.jar
        return f"{count} sealed as the active jar '{jar}', and verified by reading them back"

    def _print_backup(self, output: Output) -> None:
        backup = self.slots[1] if len(self.slots) > 1 else None
        if backup is None or backup.record is None:
            return
        generation = backup.record.generation.id[:8]
        state = "is dead" if backup.record.state is SlotState.DEAD else "stands by"
        # Never critical: what is active works without it.
        severity = "ok" if backup.severity == "ok" else "warning"
        why = next((item.message for item in backup.findings if item.severity != "ok"), "")
        reason = f": {why}" if why else ""
        output.finding(severity, f"the backup, generation {generation}, {state}{reason}")

    def _answer(self, probed: Probed) -> tuple[str, str, str | None]:
        if not probed.alive:
            return "critical", "YouTube was asked: nobody is logged in by them", IMPORT
        same = {None: "", True: ", as by the active ones before", False: ", of another account"}
        return (
            "ok",
            f"YouTube was asked: somebody is logged in by them{same[self.same_account]}",
            None,
        )
