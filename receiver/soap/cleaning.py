"""Makes clean UTF-8 of an envelope's bytes before anything parses them.

Text that is no UTF, a DOCTYPE or a second encoding never reach the parser. The one repair made here is of references to
characters that XML does not have: WCF writes them for control characters in an order's text, and a strict parser would
refuse the whole order because of one.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

from receiver.errors import RequestRefused

_UTF_8 = "utf-8"
_UTF_16 = {"utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be"}
_ALLOWED = {_UTF_8: _UTF_8, "ascii": _UTF_8, **_UTF_16}


@dataclass(frozen=True, slots=True)
class CleanEnvelope:
    """An envelope as UTF-8 without DOCTYPE, and how many illegal character references were taken out of it."""

    xml: bytes
    repairs: int


@lru_cache(maxsize=64)
def media_type_of(content_type: str) -> tuple[str, str | None]:
    """The media type in lower case, and the charset if one is given, quoted or not."""
    media_type, *parameters = content_type.split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return media_type.strip().lower(), value.strip().strip("\"'").lower()
    return media_type.strip().lower(), None


def clean(body: bytes, *, content_type: str) -> CleanEnvelope:
    """The body as UTF-8 with illegal character references removed.

    The encoding is that of the byte order mark, else the charset of `content_type` (RFC 7303, section 3), else UTF-16
    where the first bytes show it, else UTF-8. Raises RequestRefused for anything else, an empty body or a DOCTYPE.
    """
    if not body.strip(b" \t\r\n\0"):
        raise RequestRefused("the body is empty; a SOAP envelope is expected")
    text = _as_utf8(body, media_type_of(content_type)[1])
    envelope = _without_illegal_references(text) if b"&#" in text else CleanEnvelope(text, 0)
    # After the repair, which could put a DOCTYPE together.
    _check_prolog(envelope.xml)
    return envelope


def codec_of(charset: str) -> str:
    """The codec of a charset that is accepted; RequestRefused for any other."""
    try:
        return _ALLOWED[codecs.lookup(charset).name]
    except (LookupError, ValueError):
        raise RequestRefused("the charset is not supported; send UTF-8 or UTF-16") from None


def _as_utf8(body: bytes, charset: str | None) -> bytes:
    codec = codec_of(charset) if charset else None
    if body.startswith(codecs.BOM_UTF8):
        body, codec = body[3:], _UTF_8
    elif body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        codec = "utf-16-le" if body.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
        body = body[2:]
    elif codec is None:
        codec = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(body[:2], _UTF_8)
    try:
        text = body.decode(codec)
    except UnicodeDecodeError as error:
        raise RequestRefused(f"the body is not {codec.upper()} (byte {error.start})") from None
    if text.startswith("\ufeff"):
        raise RequestRefused("the body begins with two byte order marks")
    return body if codec == _UTF_8 else text.encode(_UTF_8)


# Atomic groups: without them a long run of comments makes the match try every way to split it.
_PROLOG = re.compile(rb"(?>[ \t\r\n]+|<\?(?>.*?\?>)|<!--(?>.*?-->))*+(<!DOCTYPE)?", re.DOTALL | re.IGNORECASE)
_DECLARED = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"'>]{0,40})")


def _check_prolog(text: bytes) -> None:
    prolog = _PROLOG.match(text)
    if prolog is not None and prolog.group(1):
        raise RequestRefused("a document type declaration is not allowed in a SOAP envelope")
    declared = _DECLARED.match(text)
    if declared is not None:
        codec_of(declared.group(1).decode("latin-1").lower())


# A CDATA section is matched first and kept: inside it, `&#x1;` is five plain characters. One that never ends is matched
# to the end of the text, else a megabyte of openings would be searched to the end from each of them.
_REFERENCE = re.compile(rb"<!\[CDATA\[(?>.*?(?:\]\]>|\Z))|&#(?:x0*([0-9a-fA-F]{1,6})|0*([0-9]{1,7}));", re.DOTALL)


def _without_illegal_references(text: bytes) -> CleanEnvelope:
    repairs = 0

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal repairs
        hexadecimal, decimal = match.groups()
        if hexadecimal is None and decimal is None:
            return match.group()
        if _is_xml_character(int(hexadecimal, 16) if hexadecimal else int(decimal)):
            return match.group()
        repairs += 1
        return b""

    return CleanEnvelope(_REFERENCE.sub(replace, text), repairs)


def _is_xml_character(number: int) -> bool:
    """XML 1.0, production 2."""
    return (
        0x20 <= number <= 0xD7FF
        or number in {0x9, 0xA, 0xD}
        or 0xE000 <= number <= 0xFFFD
        or 0x10000 <= number <= 0x10FFFF
    )
