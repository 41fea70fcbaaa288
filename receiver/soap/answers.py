"""Writes CreateOrder's answer byte by byte.

A WCF client reads the members strictly forward and loses what comes out of order without an error, so all four are
always written, in the contract's order, booleans in lower case (wire format, sections 4.1 and 4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from receiver.errors import Problem
from receiver.flows.accept_order import Acknowledgement
from receiver.soap.names import CONTRACT, ENVELOPE, INSTANCE

LONGEST_DESCRIPTION = 2_000
"""Characters: a WCF client reads no answer over 64 KB, and a person no text longer than this."""

_HEAD = (
    f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><CreateOrderResponse xmlns="{CONTRACT}">'
    f'<CreateOrderResult xmlns:i="{INSTANCE}">'
)
_TAIL = "</CreateOrderResult></CreateOrderResponse></s:Body></s:Envelope>"


def acknowledgement_envelope(acknowledgement: Acknowledgement) -> bytes:
    """Our OK, with the ERP's order number where it is known; the same order always gets the same bytes."""
    return _envelope("OK", None, acknowledgement.erp_order_no)


def refusal_envelope(problems: Sequence[Problem]) -> bytes:
    """Our Failed: every problem with its path, as many as fit."""
    return _envelope("Failed", _description(problems), None)


def _envelope(status_code: str, description: str | None, erp_order_no: str | None) -> bytes:
    has_erp_order_no = "true" if erp_order_no else "false"
    return "".join(
        [
            _HEAD,
            f"<StatusCode>{status_code}</StatusCode>",
            _text("Description", description),
            f"<HasErpOrderNo>{has_erp_order_no}</HasErpOrderNo>",
            _text("ErpOrderNo", erp_order_no or None),
            _TAIL,
        ]
    ).encode()


def _text(name: str, text: str | None) -> str:
    return f'<{name} i:nil="true"/>' if text is None else f"<{name}>{escape(text)}</{name}>"


def _description(problems: Sequence[Problem]) -> str:
    sentences = [str(problem) for problem in problems]
    whole = "; ".join(sentences)
    if len(whole) <= LONGEST_DESCRIPTION:
        return whole
    shown: list[str] = []
    length = 0
    for sentence in sentences:
        ending = f"; and {len(sentences) - len(shown)} more"
        if length + len(sentence) + len("; ") + len(ending) > LONGEST_DESCRIPTION:
            break
        shown.append(sentence)
        length += len(sentence) + len("; ")
    if not shown:
        shown = [sentences[0][: LONGEST_DESCRIPTION - 40]]
    return f"{'; '.join(shown)}; and {len(sentences) - len(shown)} more"
