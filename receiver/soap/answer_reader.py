"""Reads the answer to a CreateOrder, as its caller would: an acknowledgement, a refusal or a fault.

Used where we call a receiver ourselves. What is read here may come from any server, so anything can be missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from receiver.errors import RequestRefused
from receiver.soap.names import CONTRACT, ENVELOPE
from receiver.soap.protocol import parse

_RESULT = f"{{{CONTRACT}}}CreateOrderResponse/{{{CONTRACT}}}CreateOrderResult"


@dataclass(frozen=True, slots=True)
class HeardAnswer:
    """What the caller heard: a status code with a description, or a fault's code and text in `description`."""

    status_code: str | None
    description: str | None
    erp_order_no: str | None


def read_answer(envelope: bytes) -> HeardAnswer | None:
    """The answer in a SOAP 1.1 envelope in UTF-8; None when these bytes are no answer to CreateOrder."""
    try:
        body = parse(envelope).find(f"{{{ENVELOPE}}}Body")
    except RequestRefused:
        return None
    if body is None:
        return None
    if (fault := body.find(f"{{{ENVELOPE}}}Fault")) is not None:
        # A fault's children have no namespace (SOAP 1.1, section 4.4).
        code = (fault.findtext("faultcode") or "").rpartition(":")[2]
        return HeardAnswer(None, f"Fault {code}: {fault.findtext('faultstring') or ''}", None)
    if (result := body.find(_RESULT)) is None:
        return None
    return HeardAnswer(_text(result, "StatusCode"), _text(result, "Description"), _text(result, "ErpOrderNo"))


def _text(result: etree._Element, member: str) -> str | None:
    return result.findtext(f"{{{CONTRACT}}}{member}") or None
