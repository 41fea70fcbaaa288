"""What reaches the parser: UTF-8 without DOCTYPE, and references repaired only where they are references."""

from __future__ import annotations

import time

import pytest

from receiver.errors import RequestRefused
from receiver.soap.cleaning import clean

UTF8 = "text/xml; charset=utf-8"
LONG = 1_000_000


@pytest.mark.parametrize(
    ("written", "repaired", "repairs"),
    [
        (b"<a>x&#x1;y</a>", b"<a>xy</a>", 1),
        (b"<a>&#0;&#8;&#31;</a>", b"<a></a>", 3),
        (b"<a>&#x00001F;&#xfffe;&#xFFFF;</a>", b"<a></a>", 3),
        (b"<a>&#xD800;&#57343;&#x110000;</a>", b"<a></a>", 3),
        (b"<a>&#x9;&#10;&#xD;&#x20;&#128512;</a>", b"<a>&#x9;&#10;&#xD;&#x20;&#128512;</a>", 0),
        (b"<a><![CDATA[&#x1;]]>&#x1;</a>", b"<a><![CDATA[&#x1;]]></a>", 1),
        (b'<a b="&#x2;"/>', b'<a b=""/>', 1),
    ],
)
def test_only_references_to_characters_xml_lacks_are_taken_out(written: bytes, repaired: bytes, repairs: int) -> None:
    envelope = clean(written, content_type=UTF8)
    assert (envelope.xml, envelope.repairs) == (repaired, repairs)


@pytest.mark.parametrize(
    "prolog",
    [
        b"<!DOCTYPE a>",
        b"<!doctype a>",
        b"\xef\xbb\xbf<!DOCTYPE a>",
        b"<?xml version='1.0'?>\n<!-- x --><?p q?>\n<!DOCTYPE a [<!ENTITY b 'c'>]>",
    ],
)
def test_a_doctype_is_refused_wherever_the_prolog_hides_it(prolog: bytes) -> None:
    with pytest.raises(RequestRefused, match="document type"):
        clean(prolog + b"<a/>", content_type=UTF8)
    with pytest.raises(RequestRefused, match="document type"):
        clean(prolog.decode("utf-8-sig").encode("utf-16") + "<a/>".encode("utf-16-le"), content_type="text/xml")


def test_a_doctype_inside_the_document_is_only_text() -> None:
    xml = b"<a><![CDATA[<!DOCTYPE a>]]><!-- <!DOCTYPE a> --></a>"
    assert clean(xml, content_type=UTF8).xml == xml


@pytest.mark.parametrize(
    "hostile",
    [
        b"<!-- -->" * (LONG // 8) + b"<a/>",
        b"<?a?>" * (LONG // 5) + b"<a/>",
        b"<!--" * (LONG // 4),
        b"<![CDATA[" * (LONG // 9) + b"&#x1;",
        b"&#" * (LONG // 2),
        b" " * LONG + b"<a/>",
        b"<?xml " + b"encoding=" * (LONG // 9),
    ],
    ids=["comments", "instructions", "open comments", "open CDATA", "open references", "blanks", "declaration"],
)
def test_cleaning_a_megabyte_of_malice_takes_no_longer_than_a_second(hostile: bytes) -> None:
    started = time.perf_counter()
    clean(hostile, content_type=UTF8)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("content_type", ["text/xml", 'TEXT/XML; Charset="{}"'])
def test_every_utf_becomes_utf8(codec: str, content_type: str) -> None:
    named = content_type.format(codec.removesuffix("-sig"))
    assert clean("<a>Åsa €</a>".encode(codec), content_type=named).xml == "<a>Åsa €</a>".encode()


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"<a/>", "text/xml; charset=iso-8859-1", "charset is not supported"),
        (b"<a/>", "text/xml; charset=no-such", "charset is not supported"),
        (b"<?xml version='1.0' encoding='cp1252'?><a/>", "text/xml", "charset is not supported"),
        (b"<a>\xe5</a>", UTF8, "not UTF-8"),
        (b"<\x00a", "text/xml", "not UTF-16-LE"),
        (b"", UTF8, "empty"),
        (b" \r\n\0", UTF8, "empty"),
    ],
)
def test_other_encodings_are_refused_without_showing_the_text(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(RequestRefused, match=reason):
        clean(body, content_type=content_type)
