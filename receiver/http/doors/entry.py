"""Who may pass a door: the check before anything else of a request is looked at."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from receiver.http.auth import Gatekeeper
from receiver.http.doors.problems import DoorProblem, ProblemDetails, give_up


@dataclass(frozen=True, slots=True)
class Entry:
    """One door's credentials. Without a gatekeeper the door is closed, and `closed` says how to open it."""

    realm: str
    gatekeeper: Gatekeeper | None
    closed: str

    def check(self) -> None:
        """End the current request unless it carries the credentials of this door."""
        if self.gatekeeper is None:
            give_up("closed", 404, "this door is closed", self.closed)
        if not self.gatekeeper.admits(request.environ.get("HTTP_AUTHORIZATION")):
            challenge = ("WWW-Authenticate", f'Basic realm="{self.realm}", charset="UTF-8"')
            raise DoorProblem(
                ProblemDetails("unauthorized", 401, "basic authentication is required", headers=(challenge,))
            )
