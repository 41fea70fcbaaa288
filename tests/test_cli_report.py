"""A report typed at a shell or lying in a file reaches the outbox, once, and what is wrong with it is said in full."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.operators import Operator
from tests.relaying import CONFIRMED, INVOICE, STATUS, Outbox, outbox_on

REF = "700101"
CONFIRMATION: dict[str, Any] = {"kind": "order-status", "report": CONFIRMED}


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    with outbox_on(database_url) as outbox:
        outbox.accept(REF)
        yield outbox


@pytest.fixture
def operator(outbox: Outbox, tmp_path: Path) -> Operator:
    return Operator(tmp_path, outbox.url)


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_report_in_a_file_is_taken_once(outbox: Outbox, operator: Operator) -> None:
    (operator.folder / "report.json").write_text(json.dumps(CONFIRMATION))
    first, second = (operator.data("report", "report.json") for _ in range(2))
    message = outbox.rows()[1]
    assert first == {"key": message["key"], "message_id": message["id"], "state": "pending", "is_repeat": False}
    assert second == first | {"is_repeat": True}
    assert [row["kind"] for row in outbox.rows()] == ["order", "order-status"]
    assert outbox.order(REF)["erp_order_no"] == "SO-1"
    shown = operator.text("report", "report.json")
    assert message["key"] in shown
    assert "before, with the same content" in shown


@on_sqlite
def test_a_report_is_read_from_standard_input_to_the_digit(outbox: Outbox, operator: Operator) -> None:
    price = "0.1000000000000000055"
    document = json.dumps({"kind": "invoice", "report": INVOICE}).replace('"100.10"', price)
    assert "Taken    now" in operator.run("report", "-", typed=document).stdout
    assert outbox.rows()[1]["payload"]["lines"][0]["unit_price"] == price


@on_sqlite
def test_every_problem_of_a_report_is_listed_with_its_path(outbox: Outbox, operator: Operator) -> None:
    document = {"kind": "invoice", "colour": "red", "report": {**INVOICE, "vat": "much", "lines": []}}
    said = operator.refusal("report", "-", typed=json.dumps(document)).splitlines()
    assert said[0] == "the report was not taken:"
    assert "  colour: is no member of a report" in said
    assert sorted(line.split(":")[0].strip() for line in said[2:]) == ["report.lines", "report.vat"]
    assert operator.refusal("report", "-", typed="[]").endswith("  the document: must be a JSON object\n")
    assert outbox.states() == ["pending"]


@on_sqlite
def test_a_report_about_no_order_or_under_a_taken_key_is_refused(outbox: Outbox, operator: Operator) -> None:
    unknown = json.dumps({"kind": "order-status", "report": {**STATUS, "client_order_ref": 1}})
    assert operator.refusal("report", "-", typed=unknown) == "no order with these references was received here\n"
    keyed = {"kind": "order-status", "key": "K-1"}
    operator.run("report", "-", typed=json.dumps({**keyed, "report": STATUS}))
    said = operator.refusal("report", "-", typed=json.dumps({**keyed, "report": CONFIRMED}))
    assert said.endswith("has this key and says something else\n")
    assert len(outbox.rows()) == 2


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "no JSON: Expecting value in line 1, column 1"),
        ('{"kind": NaN}', "no JSON: NaN is no number"),
        ('{"kind": 1e999999999999999999999}', "a number too large"),
        ("[" * 100_000, "nested too deep"),
        ('{"kind": "invoice", "kind": "credit"}', "two members of the same name"),
    ],
)
def test_what_is_no_json_is_refused_before_the_database_is_opened(tmp_path: Path, document: str, reason: str) -> None:
    said = Operator(tmp_path, "sqlite:///nowhere.db").refusal("report", "-", typed=document)
    assert said.startswith("standard input: ")
    assert reason in said


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    operator = Operator(tmp_path, "sqlite:///nowhere.db")
    assert operator.refusal("report", "missing.json") == "missing.json: No such file or directory\n"
    (tmp_path / "latin.json").write_bytes('{"kind": "å"}'.encode("latin-1"))
    assert operator.refusal("report", "latin.json") == "latin.json: no JSON: it is not written in UTF-8\n"
