"""Stands in until conditions are there."""
from __future__ import annotations
from jarkeeper.slots import SlotState

class Watch:
    def __init__(self, life):
        self.life = life

    def validated(self, vault, done):
        self.examine(vault)

    def rotated(self, vault, done):
        self.examine(vault)

    def wants_import(self):
        head = self.life.room.vault.status("youtube")
        return head.active is None or head.active.state is SlotState.DEAD or not head.backups or all(b.state is SlotState.DEAD for b in head.backups)

    def examine(self, vault):
        if self.wants_import():
            self.life.person.hear("session-dead")

    def end(self):
        pass
