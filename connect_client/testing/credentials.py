"""Who may come in: basic authentication, or tokens given for client credentials."""

from __future__ import annotations

import base64
import threading
import time
import uuid
from urllib.parse import parse_qs

_GRANT = "client_credentials"


class Doorkeeper:
    """Accepts one user name and password, as they are or as a token they were turned into."""

    def __init__(self, username: str, password: str) -> None:
        self._pair = (username, password)
        self._lock = threading.Lock()
        self._valid_until: dict[str, float] = {}
        self.lifetime_seconds = 3600.0
        self.tokens_given = 0

    def lets_in(self, authorization: str | None) -> bool:
        """Whether this Authorization header will do."""
        scheme, _, value = (authorization or "").partition(" ")
        if scheme == "Basic":
            return value == base64.b64encode(":".join(self._pair).encode()).decode()
        with self._lock:
            return scheme == "Bearer" and self._valid_until.get(value, 0.0) > time.monotonic()

    def token(self, form: bytes) -> tuple[int, dict[str, object]]:
        """Status and JSON for a token request, as RFC 6749 has them (4.4, 5.2)."""
        fields = {name: values[0] for name, values in parse_qs(form.decode("ascii", "replace")).items()}
        if fields.get("grant_type") != _GRANT:
            return 400, {"error": "unsupported_grant_type"}
        if (fields.get("client_id"), fields.get("client_secret")) != self._pair:
            return 401, {"error": "invalid_client"}
        if not fields.get("scope"):
            return 400, {"error": "invalid_scope"}
        token = uuid.uuid4().hex
        with self._lock:
            self._valid_until[token] = time.monotonic() + self.lifetime_seconds
            self.tokens_given += 1
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime_seconds}

    def revoke(self) -> None:
        """Forget all tokens."""
        with self._lock:
            self._valid_until.clear()
