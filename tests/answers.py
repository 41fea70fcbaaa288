"""Reads the receiver's answers as strictly as a WCF client would, and more: against the shipped schemas."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lxml import etree

from tests.test_wsdl import CONTRACT, NS, xml_schema
from tests.wire import HttpAnswer

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
MEMBERS = ["StatusCode", "Description", "HasErpOrderNo", "ErpOrderNo"]


@dataclass(frozen=True)
class OrderResponse:
    """The four members of CreateOrder's answer; None where one is nil."""

    status_code: str | None
    description: str | None
    has_erp_order_no: str | None
    erp_order_no: str | None


OK = OrderResponse("OK", None, "false", None)


def order_response(answer: HttpAnswer) -> OrderResponse:
    """The members of an HTTP 200 answer, which must be one that WCF reads without losing anything."""
    assert answer.status == 200, answer
    _assert_wcf_reads_the_head(answer)
    (response,) = _body_of(answer)
    _schema().assertValid(response)
    (result,) = response
    assert [each.tag for each in result] == [f"{{{CONTRACT}}}{name}" for name in MEMBERS]
    values = [None if each.get(_NIL) == "true" else each.text or "" for each in result]
    return OrderResponse(*values)


def fault(answer: HttpAnswer) -> tuple[str, str]:
    """Code (local name, in SOAP's namespace) and text of a fault that WCF can read (wire format, 4.5)."""
    assert answer.status == 500, answer
    _assert_wcf_reads_the_head(answer)
    (element,) = _body_of(answer)
    assert element.tag == f"{{{NS['s']}}}Fault"
    assert [each.tag for each in element] == ["faultcode", "faultstring"]
    prefix, _, code = (element[0].text or "").partition(":")
    assert element.nsmap[prefix] == NS["s"]
    return code, element[1].text or ""


def _assert_wcf_reads_the_head(answer: HttpAnswer) -> None:
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert len(answer.body) < 65_536


def _body_of(answer: HttpAnswer) -> list[etree._Element]:
    envelope = etree.fromstring(answer.body)
    assert envelope.tag == f"{{{NS['s']}}}Envelope"
    (body,) = envelope
    assert body.tag == f"{{{NS['s']}}}Body"
    return list(body)


@cache
def _schema() -> etree.XMLSchema:
    with tempfile.TemporaryDirectory() as folder:
        return xml_schema("OrderNotificationService", Path(folder))
