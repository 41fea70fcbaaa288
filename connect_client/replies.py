"""What a reply means: it is the operation's success, or it becomes exactly one of our errors.

A WCF service answers business refusals, bad values and its own bugs all with 500, so the fault's code decides, by its
local name: prefixes and, between .NET versions, namespaces vary (wire format, 5.4).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Protocol

from lxml import etree

from connect_client.errors import (
    CallFailed,
    Circumstances,
    Fault,
    Misdirected,
    Refused,
    ServerFailed,
    Throttled,
    Unauthorized,
    Unreachable,
    UnreadableReply,
)
from connect_client.transport import Reply

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_LONGEST_TEXT = 1000
# The code is told in errors and log lines, so it must not be able to carry anything else.
_CODE = re.compile(r"[A-Za-z_][\w.-]{0,99}", re.ASCII)
_UNKNOWN_ACTION = "ActionNotSupported"
# The service began and failed at its own work; everything else was said on purpose or before it began.
_OWN_FAILURES = frozenset({"Server", "InternalServiceFault"})


class Judge(Protocol):
    """Returns if a reply is what was hoped for; else raises what it means."""

    def __call__(self, reply: Reply, *, call: Circumstances) -> None: ...


def check(reply: Reply, *, answer: str, call: Circumstances) -> None:
    """A Judge: the reply must be the success of an operation whose answer has this {namespace}name."""
    content = _first_in_body(reply.content)
    if content is None or content.tag != answer or not 200 <= reply.status < 300:
        raise _failure(_known(reply, content, call))


def check_unknown_action(reply: Reply, *, call: Circumstances) -> None:
    """A Judge: the reply must be the fault with which WCF turns away an action it does not have."""
    known = _known(reply, _first_in_body(reply.content), call)
    if known.fault is None or known.fault.code != _UNKNOWN_ACTION:
        raise _failure(known)


def _known(reply: Reply, content: etree._Element | None, call: Circumstances) -> Circumstances:
    fault = _fault(content) if content is not None and content.tag == f"{_SOAP}Fault" else None
    return replace(call, status=reply.status, retry_after_seconds=reply.retry_after_seconds, fault=fault)


def _failure(call: Circumstances) -> CallFailed:
    status = call.status or 0
    if status in (401, 403):
        return Unauthorized("Norce did not accept the credentials", call)
    if status == 407:
        return Unreachable("a proxy in the way wants credentials", call)
    if status == 429:
        return Throttled("Norce wants fewer calls", call)
    if call.fault is not None:
        # A fault that does not say whose it is may be the service's own.
        if not call.fault.code or call.fault.code.partition(".")[0] in _OWN_FAILURES:
            return ServerFailed("Norce failed while it worked on the call", call)
        return Refused("Norce refused the call", call)
    return _failure_without_fault(status, call)


def _failure_without_fault(status: int, call: Circumstances) -> CallFailed:
    if 300 <= status < 400 or status in (404, 405, 410):
        return Misdirected("no OrderService answers at this address", call)
    if status == 408 or status >= 500:
        return ServerFailed("the server failed, and said nothing that can be read", call)
    if status >= 400:
        return Refused("the call was refused without a fault", call)
    return UnreadableReply("the reply is not the answer of this operation", call)


def _first_in_body(content: bytes) -> etree._Element | None:
    """The first element in the Body of a SOAP 1.1 envelope; None if the content is anything else."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.tag != f"{_SOAP}Envelope" or root.getroottree().docinfo.internalDTD is not None:
        return None
    return root.find(f"{_SOAP}Body/*")


def _fault(element: etree._Element) -> Fault:
    code = element.find("faultcode")
    written = "" if code is None else (code.text or "").strip()
    prefix, _, local = written.rpartition(":")
    namespace = None if code is None else code.nsmap.get(prefix or None)
    return Fault(
        local if _CODE.fullmatch(local) else "",
        namespace,
        (element.findtext("faultstring") or "").strip()[:_LONGEST_TEXT],
    )
