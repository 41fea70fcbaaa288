"""JSON as the doors write it: decimals as texts with their scale, instants in UTC."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import Response

JSON = "application/json"


def document(data: object, *, status: int = HTTPStatus.OK, media_type: str = JSON) -> Response:
    """An answer that nobody may keep: what it shows changes, and is about people."""
    # In ASCII: a caller may name a member with half a surrogate pair, which UTF-8 cannot carry back.
    body = json.dumps(data, default=_plain).encode("ascii")
    return Response(body, status, content_type=media_type, headers={"Cache-Control": "no-store"})


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
