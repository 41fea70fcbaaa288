"""The shipped WSDL's schemas as a validator."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lxml import etree

from connect_client.contract import wsdl_bytes

_XS = "{http://www.w3.org/2001/XMLSchema}"


def xml_schema(service: str) -> etree.XMLSchema:
    """Validates the wrapper element of a call of this service. Not to be shared between threads without a lock."""
    inline = list(etree.fromstring(wsdl_bytes(service)).iter(f"{_XS}schema"))
    names = {schema.get("targetNamespace"): f"{number}.xsd" for number, schema in enumerate(inline)}
    # libxml2 follows imports only through files.
    with tempfile.TemporaryDirectory() as folder:
        for schema in inline:
            for entry in schema.iter(f"{_XS}import"):
                entry.set("schemaLocation", names[entry.get("namespace")])
            Path(folder, names[schema.get("targetNamespace")]).write_bytes(etree.tostring(schema))
        return etree.XMLSchema(file=str(Path(folder, "0.xsd")))
