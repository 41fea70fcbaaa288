"""The door through which the ERP reports: every report is committed when it is taken, or told what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from receiver.storage import tables
from tests.answers import order_response
from tests.databases import rows_of
from tests.doors import READER, Doors, paths, problem
from tests.order_xml import order_xml
from tests.relaying import CONFIRMED, INVOICE, NOTE
from tests.servers import PASSWORD, USERNAME, running_receiver

REF = "700101"
REPORT = {"kind": "delivery-note", "client_order_ref": REF, "report": NOTE}


@pytest.fixture(autouse=True)
def order(request: pytest.FixtureRequest) -> None:
    """The order that the reports are about."""
    if "doors" in request.fixturenames:
        doors: Doors = request.getfixturevalue("doors")
        assert doors.receiver.post(order_xml(REF)).status == 200


def test_a_report_is_taken_once_and_a_different_one_under_its_key_is_not(doors: Doors) -> None:
    first, again = doors.report(REPORT), doors.report(REPORT)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == {
        "message_id": first.json()["message_id"],
        "key": "delivery-note:DN-1",
        "state": "pending",
        "is_repeat": False,
    }
    assert again.json() == first.json() | {"is_repeat": True}
    other = doors.report(REPORT | {"report": NOTE | {"note_text": "other"}})
    assert problem(other, 409)["type"].endswith(":report-conflict")
    assert [row["kind"] for row in rows_of(doors.receiver.database_url, tables.outbox)] == ["order", "delivery-note"]


def test_amounts_arrive_to_the_digit(doors: Doors) -> None:
    text = json.dumps({"kind": "invoice", "report": INVOICE}).replace('"100.10"', "100.10")
    assert '"unit_price": 100.10' in text
    assert doors.report(text.encode()).status_code == 202
    (row,) = rows_of(doors.receiver.database_url, tables.outbox, kind="invoice")
    assert row["payload"]["lines"][0]["unit_price"] == "100.10"


def test_a_confirmed_order_answers_its_repeat_with_the_erps_number(doors: Doors) -> None:
    assert doors.report({"kind": "order-status", "report": CONFIRMED}).status_code == 202
    answer = order_response(doors.receiver.post(order_xml(REF)))
    assert (answer.has_erp_order_no, answer.erp_order_no) == ("true", "SO-1")


def test_every_problem_is_told_with_its_path_and_without_its_value(doors: Doors) -> None:
    wrong = {"kind": "invoice", "report": INVOICE | {"vat": "Åsa", "lines": [{"part_no": ""}]}, "colour": "Åsa"}
    document = problem(doors.report(wrong), 422)
    assert {"colour", "report.vat", "report.lines[0].part_no", "report.lines[0].quantity"} <= paths(document)
    assert "Åsa" not in json.dumps(document, ensure_ascii=False)
    assert paths(problem(doors.report({"kind": "order", "report": {}}), 422)) == {"kind"}
    assert paths(problem(doors.report({"kind": "invoice"}), 422)) == {"report"}
    assert paths(problem(doors.report([REPORT]), 422)) == {""}


def test_an_order_that_is_not_here_is_a_404(doors: Doors) -> None:
    assert problem(doors.report(REPORT | {"client_order_ref": "1"}), 404)["type"].endswith(":order-unknown")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"kind": NaN}', b'{"kind": 1, "kind": 2}', b"[" * 100_000, b"1" * 5_000, b"nul"],
)
def test_what_is_no_json_is_a_400(doors: Doors, body: bytes) -> None:
    assert problem(doors.report(body), 400)["type"].endswith(":not-json")


@pytest.mark.parametrize(
    ("auth", "status"),
    [(None, 401), (("erp", "wrong"), 401), (READER, 401), ((USERNAME, PASSWORD), 401)],
)
def test_only_the_erps_own_credentials_open_the_door(doors: Doors, auth: tuple[str, str] | None, status: int) -> None:
    response = doors.report(REPORT, auth=auth)
    problem(response, status)
    assert response.headers["WWW-Authenticate"].startswith('Basic realm="reports"')


def test_the_wrong_kind_of_request_is_told_what_is_right(doors: Doors) -> None:
    problem(doors.report(REPORT, headers={"Content-Type": "text/xml"}), 415)
    assert "1000000 bytes" in problem(doors.report(b" " * 1_000_001), 413)["detail"]
    refused = doors.send("PUT", "/erp/reports")
    problem(refused, 405)
    assert "POST" in refused.headers["Allow"]
    problem(doors.send("POST", "/erp/other"), 404)


def test_a_door_without_credentials_is_closed_and_says_how_to_open_it(tmp_path: Path, database_url: str) -> None:
    with running_receiver(tmp_path, database_url) as receiver:
        closed = Doors(receiver)
        assert "RECEIVER_REPORTS_USERNAME" in problem(closed.report(REPORT), 404)["detail"]
        assert "RECEIVER_HISTORY_USERNAME" in problem(closed.ask("/orders"), 404)["detail"]


def test_an_invoice_number_of_any_length_is_a_key(doors: Doors) -> None:
    long = {"kind": "invoice", "client_order_ref": REF, "report": INVOICE | {"invoice_no": "F" * 300}}
    assert [doors.report(long).status_code for _ in range(2)] == [202, 200]
