"""The calls of OrderService, ready to be made: zeep reads the shipped WSDL, once per process."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connect_client.contract import Service, wsdl_bytes
from connect_client.encode import encoder
from connect_client.operations import Operation
from connect_client.shapes import ContractMismatch, Shape, shape_of


@dataclass(frozen=True, slots=True)
class Call:
    """One operation on the wire; `action` is the SOAPAction without its quotes, `answer` the tag of a success."""

    operation: Operation
    action: str
    answer: str
    wrapper: str
    parameter: str
    shape: Shape
    encode: Callable[[Any], bytes]


@functools.cache
def load_calls() -> Mapping[Operation, Call]:
    """Every operation's call. Raises ContractMismatch, FileNotFoundError if the package was put together wrongly."""
    import zeep  # noqa: PLC0415 - slow to import, and not needed to make messages

    # Strict, without DTD and without fetching anything: the document is ours, and nothing in it may lead elsewhere.
    settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_external=True)
    client = zeep.Client(io.BytesIO(wsdl_bytes(Service.ORDER)), settings=settings)  # type: ignore[no-untyped-call]
    (port,) = client.wsdl.services[Service.ORDER.value].ports.values()
    found = port.binding.all()
    if unknown := set(found) ^ {operation.wire_name for operation in Operation}:
        raise ContractMismatch(f"operations and WSDL differ in {', '.join(sorted(unknown))}")
    return {operation: _call(operation, found[operation.wire_name]) for operation in Operation}


def _call(operation: Operation, described: Any) -> Call:
    wrapper = described.input.body
    ((_, parameter),) = wrapper.type.elements
    shape = shape_of(operation.message, parameter.type)
    wrapper_tag, parameter_tag = str(wrapper.qname), str(parameter.qname)
    return Call(
        operation=operation,
        action=described.soapaction,
        answer=str(described.output.body.qname),
        wrapper=wrapper_tag,
        parameter=parameter_tag,
        shape=shape,
        encode=encoder(shape, operation=wrapper_tag, parameter=parameter_tag),
    )
