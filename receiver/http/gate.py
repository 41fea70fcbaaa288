"""Turns away, by the head alone, requests whose body no SOAP service should read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from receiver.errors import RequestRefused
from receiver.soap.cleaning import codec_of, media_type_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def is_soap(environ: WSGIEnvironment) -> bool:
    """Whether the caller says it sends SOAP 1.1."""
    return media_type_of(environ.get("CONTENT_TYPE", ""))[0] == "text/xml"


def check_head(environ: WSGIEnvironment) -> None:
    """Raise RequestRefused for a charset or content encoding that cannot be read."""
    _, charset = media_type_of(environ.get("CONTENT_TYPE", ""))
    if charset is not None:
        codec_of(charset)
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in {"", "identity"}:
        raise RequestRefused("Content-Encoding is not supported; send the envelope uncompressed")
