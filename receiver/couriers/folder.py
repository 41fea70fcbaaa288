"""Writes orders into a folder that the ERP watches: one file each, whole or not there at all.

A file is written under a hidden name, synced, renamed into place, and the folder synced: a reader never sees half an
order, and a power cut after the verdict loses none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from receiver.couriers.in_turn import in_turn, order_of, unreadable
from receiver.errors import ReceiverError
from receiver.orders.as_json import order_as_json
from receiver.outbox.message import Outcome, Verdict
from receiver.ports import Delivery

FORMATS = ("xml", "json")
_PRIVATE = 0o600
# Of the 255 bytes of a file's name, the rest of ours and of the hidden one's need up to 80.
_LONGEST_REF = 150


class FolderCourier:
    """Implements `ports.Courier`; `form` is `xml`, the bytes as received, or `json`.

    Raises ValueError for another form, or where there is no such folder.
    """

    batch_size = 50

    def __init__(self, folder: Path, *, form: str) -> None:
        if form not in FORMATS:
            raise ValueError(f"the format must be one of {', '.join(FORMATS)}")
        if not folder.is_dir():
            raise ValueError(f"there is no folder {folder}")
        self._folder = folder
        self._form = form

    def deliver(self, deliveries: Sequence[Delivery], *, until: float) -> list[Verdict]:
        """Write one file after the other."""
        return in_turn(deliveries, self._attempt, until=until)

    def close(self) -> None:
        """Nothing is kept open."""

    def _attempt(self, delivery: Delivery) -> Verdict:
        try:
            content = self._content(delivery)
        except ReceiverError as error:
            return unreadable(error)
        try:
            self._write(file_name(delivery, self._form), content)
        except OSError as error:
            return Verdict(Outcome.NOT_DELIVERED, f"the file cannot be written: {error.strerror}", is_down=True)
        return Verdict(Outcome.DELIVERED)

    def _content(self, delivery: Delivery) -> bytes:
        handed = order_of(delivery)
        if self._form == "xml":
            return handed.body()
        return json.dumps(order_as_json(handed.order()), ensure_ascii=False, indent=2).encode()

    def _write(self, name: str, content: bytes) -> None:
        hidden = self._folder / f".{name}.{os.getpid()}.part"
        try:
            with open(hidden, "wb", opener=_private) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            hidden.rename(self._folder / name)
        except OSError:
            hidden.unlink(missing_ok=True)
            raise
        directory = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def file_name(delivery: Delivery, form: str) -> str:
    """Reference, application and revision; a reference with other signs is percent-encoded, so no two names collide.

    What becomes too long for a file system is cut and ends in a digest, after a sign that encoding leaves nowhere else.
    """
    message = delivery.message
    safe = re.sub(r"^\.|\.$", "%2E", quote(message.client_order_ref, safe=""))
    if len(safe) > _LONGEST_REF:
        digest = hashlib.sha256(message.client_order_ref.encode()).hexdigest()
        safe = f"{safe[: _LONGEST_REF - 33]}+{digest[:32]}"
    return f"{safe}-{message.application_key}-r{message.revision}.{form}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, _PRIVATE)
