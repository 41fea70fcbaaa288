"""Reads captured requests from files: `.http` with the head as it was sent, `.xml` with the envelope alone.

The body is never touched, so a capture can hold any bytes. A bare envelope gets the headers that WCF sends with it.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from receiver.cli.output import CommandFailed
from receiver.soap.names import ACTION

_REQUEST_LINE = re.compile(r"POST \S+ HTTP/1\.[01]")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
# A capture that an editor has saved may have lost its carriage returns.
_LINE_END = re.compile(rb"\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Capture:
    """One captured POST: its headers in the order and spelling of the capture, its body byte for byte."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


class CaptureUnreadable(CommandFailed):
    """The file is not there, or is no capture of a POST."""


def read_capture(path: Path) -> Capture:
    """The request in a `.http` or `.xml` file; raises CaptureUnreadable, with the path and the reason.

    The head of a `.http` file ends with an empty line. Content-Length is not compared with the body: captures get
    edited by hand, and whoever sends them counts anew.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CaptureUnreadable(f"{path}: {error.strerror or 'cannot be read'}") from error
    readers = {".http": _from_http, ".xml": _from_xml}
    if path.suffix.lower() not in readers:
        raise CaptureUnreadable(f"{path}: the name must end in .http (head and body) or .xml (an envelope)")
    try:
        return readers[path.suffix.lower()](raw)
    except ValueError as error:
        raise CaptureUnreadable(f"{path}: {error}") from None


def _from_xml(raw: bytes) -> Capture:
    if not raw:
        raise ValueError("the file is empty")
    is_utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    headers = (
        ("Content-Type", f"text/xml; charset={'utf-16' if is_utf16 else 'utf-8'}"),
        ("SOAPAction", f'"{ACTION}"'),
        ("Accept-Encoding", "gzip, deflate"),
    )
    return Capture(headers, raw)


def _from_http(raw: bytes) -> Capture:
    head, *rest = _HEAD_END.split(raw, maxsplit=1)
    if not rest:
        raise ValueError("there is no empty line between head and body")
    request_line, *lines = (line.decode("latin-1") for line in _LINE_END.split(head))
    if not _REQUEST_LINE.fullmatch(request_line):
        raise ValueError("the first line is not the request line of a POST, such as: POST /path HTTP/1.1")
    headers = tuple(_header(line, number) for number, line in enumerate(lines, start=2))
    if any(name.lower() == "transfer-encoding" for name, _ in headers):
        raise ValueError("the body was captured in chunks (Transfer-Encoding); store it in one piece, without them")
    return Capture(headers, rest[0])


def _header(line: str, number: int) -> tuple[str, str]:
    match = _HEADER.fullmatch(line)
    if match is None:
        # Not the line itself: it may hold credentials.
        raise ValueError(f"line {number} is not a header")
    return match[1], match[2]
