"""Processor time: what a server's processes have taken, and what the whole machine has. Reads /proc, so Linux only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_SESSION, _USER, _SYSTEM = 3, 11, 12
"""Of /proc/PID/stat, counted from behind the command's name, which may hold spaces."""
_IDLE = (3, 4)
"""Of the machine's own line: idle, and waiting for a disk. What a hypervisor steals comes after what is read of it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of processor time, of the server alone and of everything that runs, the server included."""

    server: float
    machine: float

    def since(self, earlier: Spent) -> Spent:
        """What was spent between two looks."""
        return Spent(self.server - earlier.server, self.machine - earlier.machine)


def spent_by(session: int) -> Spent | None:
    """Up to now, by the processes of a session; None where the system does not say."""
    if not (_PROC / "stat").exists():
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    server = sum(_ticks_of(process, session) for process in _PROC.iterdir() if process.name.isdigit())
    machine = [int(part) for part in (_PROC / "stat").read_text("ascii").splitlines()[0].split()[1:8]]
    busy = sum(machine) - sum(machine[column] for column in _IDLE)
    return Spent(server / ticks, busy / ticks)


def _ticks_of(process: Path, session: int) -> int:
    try:
        fields = (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        # It has ended meanwhile.
        return 0
    return int(fields[_USER]) + int(fields[_SYSTEM]) if int(fields[_SESSION]) == session else 0
