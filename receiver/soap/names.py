"""The names that cross the wire. The contract's namespace is a relative URI; never compare it with a resolved one."""

from __future__ import annotations

CONTRACT = "Enferno.Services.StormConnect.Contracts.Order"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ENVELOPE_12 = "http://www.w3.org/2003/05/soap-envelope"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
NIL = f"{{{INSTANCE}}}nil"

SERVICE = "OrderNotificationService"
CREATE_ORDER = "CreateOrder"
REQUEST = "request"
ACTION = f"{CONTRACT}/{SERVICE}/{CREATE_ORDER}"
"""WCF's default action: namespace, service contract and operation, joined by slashes."""


def is_nil(value: str | None) -> bool:
    """Whether an `xsi:nil` attribute says true; `1` is as valid as `true`."""
    return value is not None and value.strip() in {"true", "1"}


def local_name(tag: str) -> str:
    """A tag without its namespace. The parser takes names, such as `a:b:c`, that lxml's QName refuses."""
    return tag.rpartition("}")[2]
