"""The SOAP side of FakeConnect: what a WCF OrderService makes of a request, and how it words its answers.

In one respect it is harder than WCF on purpose: members that are misplaced, unknown or in the wrong namespace are
refused with a text that names them, where WCF would drop them in silence.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from connect_client.calls import Call, load_calls
from connect_client.contract import Service
from connect_client.errors import InvalidMessage
from connect_client.operations import Operation
from connect_client.testing.behaviours import ADDRESSING, DISPATCHER, SOAP, Answers, AnswersFault
from connect_client.testing.reading import message_in
from connect_client.testing.schema import xml_schema

_XML = "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Understood:
    """A request that fits the contract, and the success that would answer it."""

    operation: Operation
    message: Any
    success: Answers


class OrderService:
    """Reads requests; any number of threads may share it."""

    def __init__(self) -> None:
        self._calls = {call.action: call for call in load_calls().values()}
        self._schema = xml_schema(Service.ORDER)
        self._one_at_a_time = threading.Lock()

    def read(self, body: bytes, *, action: str, content_type: str) -> Understood | Answers | AnswersFault:
        """What a request means, or how it is turned away (wire format, 5.1)."""
        if content_type.partition(";")[0].strip().lower() != "text/xml":
            return Answers(415)
        root = _parsed(body)
        if root is None:
            return Answers(400)
        call = self._calls.get(action.strip().strip('"'))
        if call is None:
            return AnswersFault("The action cannot be processed at the receiver.", "ActionNotSupported", ADDRESSING)
        return self._understood(root.find(f"{{{SOAP}}}Body/*"), call)

    def _understood(self, wrapper: etree._Element | None, call: Call) -> Understood | AnswersFault:
        if wrapper is None or wrapper.tag != call.wrapper:
            return AnswersFault("The server was unable to process the request.", "InternalServiceFault", DISPATCHER)
        with self._one_at_a_time:
            if not self._schema.validate(wrapper):
                found = f"Not valid against the WSDL: {self._schema.error_log}"
                return AnswersFault(found, "DeserializationFailed", DISPATCHER)
        try:
            return Understood(call.operation, message_in(wrapper, call), success(call.answer))
        except InvalidMessage as error:
            return AnswersFault(str(error))


def success(answer: str) -> Answers:
    """The empty wrapper of an operation that went well; `answer` is its {namespace}name."""
    namespace, _, name = answer.removeprefix("{").partition("}")
    return Answers(200, _envelope(f'<{name} xmlns="{namespace}"/>'), _XML)


def fault(told: AnswersFault) -> Answers:
    """A fault in WCF's byte shape."""
    declared = "" if told.namespace is None else f' xmlns:a="{told.namespace}"'
    prefix = "s" if told.namespace is None else "a"
    body = (
        f"<s:Fault><faultcode{declared}>{prefix}:{escape(told.code)}</faultcode>"
        f'<faultstring xml:lang="sv-SE">{escape(told.text)}</faultstring></s:Fault>'
    )
    return Answers(told.status, _envelope(body), _XML)


def _envelope(body: str) -> bytes:
    return f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def _parsed(body: bytes) -> etree._Element | None:
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return None
    has_dtd = root.getroottree().docinfo.internalDTD is not None
    return root if root.tag == f"{{{SOAP}}}Envelope" and not has_dtd else None
