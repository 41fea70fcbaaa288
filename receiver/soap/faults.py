"""SOAP 1.1 faults as WCF reads them: unqualified children in order, both texts present, the code's prefix declared.

Always sent with HTTP 500 and text/xml: with any other status WCF throws the text away (wire format, 4.5).
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from receiver.soap.names import ENVELOPE


def fault_envelope(code: str, reason: str) -> bytes:
    """A fault with a SOAP 1.1 code (Client, Server, VersionMismatch, MustUnderstand) and an English reason."""
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body><s:Fault><faultcode>s:{code}</faultcode>'
        f'<faultstring xml:lang="en">{escape(reason)}</faultstring></s:Fault></s:Body></s:Envelope>'
    ).encode()
