"""The WSDL as this receiver serves it: the shipped document with the configured public address in it.

The address never comes from a request: a Host header would otherwise decide where the next caller sends its orders.
"""

from __future__ import annotations

from lxml import etree

from connect_client.contract import wsdl_bytes
from receiver.soap.names import SERVICE

_ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap/}address"


def wsdl_at(address: str) -> bytes:
    """The order receiver's WSDL with `address` as its endpoint."""
    root = etree.fromstring(wsdl_bytes(SERVICE))
    for element in root.iter(_ADDRESS):
        element.set("location", address)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")
