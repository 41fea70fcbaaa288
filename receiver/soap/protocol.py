"""spyne's SOAP 1.1 protocol, narrowed: one parse with our hardened parser, an envelope read strictly, answers as bytes.

spyne's own protocol decodes every member into objects of its own (ten times the cost of ours), logs bodies it cannot
parse, follows `href` and swaps types by `xsi:type`. What is left of it here is the dispatch to the operation.
"""

from __future__ import annotations

import receiver.soap.compat  # noqa: F401  isort: skip - must come before spyne
from typing import Any

from lxml import etree
from spyne.protocol.soap import Soap11

from receiver.errors import RequestRefused
from receiver.soap.names import ACTION, CONTRACT, CREATE_ORDER, ENVELOPE, ENVELOPE_12, REQUEST, local_name

ENVELOPE_KEY = "receiver.envelope"
"""Where the gate leaves the clean envelope in the WSGI environment."""

_OPERATION = f"{{{CONTRACT}}}{CREATE_ORDER}"
_REQUEST = f"{{{CONTRACT}}}{REQUEST}"
_NEXT_ACTOR = "http://schemas.xmlsoap.org/soap/actor/next"


def parse(xml: bytes) -> etree._Element:
    """The root of an XML document in UTF-8; RequestRefused, with the position only, where it is not well formed."""
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        # The parser's own text quotes the document; line and column do not.
        line, column = error.position
        raise RequestRefused(f"the envelope is not well-formed XML (line {line}, column {column})") from None
    # The prolog was looked at before; this is the parser's own word.
    if root.getroottree().docinfo.internalDTD is not None:
        raise RequestRefused("a document type declaration is not allowed in a SOAP envelope")
    return root


def request_in(envelope: etree._Element) -> etree._Element:
    """The `request` element of an envelope; RequestRefused where it holds none."""
    _, body = _parts(envelope)
    request = _only_request(_operation(body))
    if request is None:
        raise RequestRefused("the operation holds no request")
    return request


class OrderProtocol(Soap11):  # type: ignore[misc]
    """Reads CreateOrder envelopes and passes the answer's bytes through."""

    def create_in_document(self, ctx: Any, charset: str | None = None) -> None:  # noqa: ARG002
        """Parse the envelope that the gate has cleaned."""
        ctx.in_document = parse(ctx.transport.req_env[ENVELOPE_KEY].xml)

    def decompose_incoming_envelope(self, ctx: Any, message: str = Soap11.REQUEST) -> None:  # noqa: ARG002
        """Find the one operation in the body, or raise RequestRefused with what is wrong with the envelope."""
        envelope = ctx.in_document
        _check_version(envelope)
        header, body = _parts(envelope)
        _check_must_understand(header)
        ctx.in_body_doc = _operation(body)
        ctx.method_request_string = ctx.in_body_doc.tag
        _check_action(ctx.transport.req_env.get("HTTP_SOAPACTION"))

    def deserialize(self, ctx: Any, message: str) -> None:  # noqa: ARG002
        """Hand over the `request` element as it is, None where it is missing."""
        ctx.in_object = [_only_request(ctx.in_body_doc)]

    def serialize(self, ctx: Any, message: str) -> None:
        """Nothing to build: the operation returns its answer as bytes."""

    def create_out_string(self, ctx: Any, out_string_encoding: str | None = None) -> None:  # noqa: ARG002
        """Pass on the bytes of the answer."""
        ctx.out_string = [ctx.out_object[0]]


def _check_version(envelope: etree._Element) -> None:
    if envelope.tag == f"{{{ENVELOPE}}}Envelope":
        return
    if envelope.tag == f"{{{ENVELOPE_12}}}Envelope":
        raise RequestRefused("this is a SOAP 1.2 envelope; send SOAP 1.1", code="VersionMismatch")
    if local_name(envelope.tag) == "Envelope":
        raise RequestRefused("the envelope is not in the namespace of SOAP 1.1", code="VersionMismatch")
    raise RequestRefused("the document is not a SOAP envelope")


def _parts(envelope: etree._Element) -> tuple[etree._Element | None, etree._Element]:
    header = envelope.find(f"{{{ENVELOPE}}}Header")
    bodies = envelope.findall(f"{{{ENVELOPE}}}Body")
    if len(bodies) != 1:
        raise RequestRefused(f"the envelope has {len(bodies)} Body elements; exactly one is expected")
    return header, bodies[0]


def _check_must_understand(header: etree._Element | None) -> None:
    """SOAP 1.1, section 4.2.3: a header for us that must be understood and is not refuses the message."""
    for entry in [] if header is None else header:
        is_for_us = entry.get(f"{{{ENVELOPE}}}actor", _NEXT_ACTOR) in {"", _NEXT_ACTOR}
        if is_for_us and entry.get(f"{{{ENVELOPE}}}mustUnderstand") in {"1", "true"}:
            raise RequestRefused("a header says it must be understood, and it is not", code="MustUnderstand")


def _operation(body: etree._Element) -> etree._Element:
    if len(body) != 1:
        raise RequestRefused(f"the Body holds {len(body)} elements; exactly one operation is expected")
    operation = body[0]
    if operation.tag != _OPERATION:
        raise RequestRefused(f"there is no such operation; this service has {CREATE_ORDER} in namespace {CONTRACT}")
    return operation


def _only_request(operation: etree._Element) -> etree._Element | None:
    requests = operation.findall(_REQUEST)
    if len(requests) > 1:
        raise RequestRefused(f"the operation holds {len(requests)} requests; send one order in each call")
    return requests[0] if requests else None


def _check_action(action: str | None) -> None:
    """The action may be missing, empty, quoted or not; naming anything but the body's operation is a contradiction."""
    named = (action or "").strip().strip('"').strip()
    if named and named != ACTION:
        raise RequestRefused("SOAPAction names another operation than the Body holds")
