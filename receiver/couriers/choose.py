"""From RECEIVER_ERP to the courier that it means; what cannot be right fails at start-up."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote

from receiver.couriers.folder import FORMATS, FolderCourier
from receiver.couriers.function import FunctionCourier
from receiver.errors import SettingsInvalid
from receiver.ports import Courier

_WAYS = "amqp://…, amqps://…, https://…, dir:/path or python:package.module:function"


def erp_courier(way: str, *, signing_secret: str | None) -> Courier:
    """The courier for a way to the ERP; raises SettingsInvalid, which never shows what stands in the URL."""
    scheme, _, rest = way.partition(":")
    try:
        return _courier(scheme.lower(), rest, way, signing_secret)
    except ValueError as error:
        raise SettingsInvalid([f"RECEIVER_ERP: {error}"]) from None


def _courier(scheme: str, rest: str, way: str, signing_secret: str | None) -> Courier:
    if scheme in ("amqp", "amqps"):
        from receiver.couriers.amqp import AmqpCourier  # noqa: PLC0415 - only who uses a broker pays for it

        return AmqpCourier(way)
    if scheme in ("http", "https"):
        from receiver.couriers.web import WebCourier  # noqa: PLC0415

        return WebCourier(way, signing_secret=signing_secret)
    if scheme == "dir":
        path, _, query = rest.partition("?")
        asked = parse_qs(query, keep_blank_values=True)
        if asked.keys() - {"format"}:
            raise ValueError("knows one option: dir:/path?format=" + "|".join(FORMATS))
        if not path:
            raise ValueError("names no folder; it must be like dir:/path")
        return FolderCourier(Path(unquote(path)), form=asked.get("format", ["xml"])[0])
    if scheme == "python":
        return FunctionCourier(rest)
    raise ValueError(f"must be one of {_WAYS}")
