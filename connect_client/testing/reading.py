"""From the wrapper element of a call back to the message it was made from."""

from __future__ import annotations

from typing import Any

from lxml import etree

from connect_client.calls import Call
from connect_client.messages.as_json import read_message
from connect_client.messages.statuses import OrderStatus
from connect_client.shapes import Content, Listed, Mapped, Nested, Shape, Simple

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
# What .NET sends for a date nobody has set.
_UNSET = "0001-01-01T00:00:00"


def message_in(wrapper: etree._Element, call: Call) -> Any:
    """The message of a call that is valid against the schema.

    Raises InvalidMessage if the schema allows it and the message's own rules do not, such as an invoice without either
    reference.
    """
    parameter = wrapper.find(call.parameter)
    values = {} if parameter is None else _values_of(parameter, call.shape)
    return read_message(call.operation.message, values)


def _values_of(element: etree._Element, shape: Shape) -> dict[str, Any]:
    values = {part.field: _value_of(element.find(part.tag), part.content) for part in shape.parts}
    return {field: value for field, value in values.items() if value is not None}


def _value_of(element: etree._Element | None, content: Content) -> Any:
    if element is None or element.get(_NIL, "").strip() in ("true", "1"):
        return None
    match content:
        case Simple():
            return _simple(element.text or "", content)
        case Nested(shape):
            return _values_of(element, shape)
        case Listed(item, inner):
            return [_value_of(each, inner) for each in element.iterfind(item)]
        case Mapped(item, key, value):
            return {each.findtext(key, ""): _text(each.find(value)) for each in element.iterfind(item)}


def _text(element: etree._Element | None) -> str | None:
    return None if element is None or element.get(_NIL) else element.text or ""


def _simple(text: str, content: Simple) -> Any:
    if content.type == "boolean":
        return text.strip() in ("true", "1")
    if content.is_numbered:
        numbered = {str(status.number): status.value for status in OrderStatus}
        return numbered.get(text.strip(), text)
    if content.type == "dateTime":
        return None if text.startswith(_UNSET) else text
    return text
