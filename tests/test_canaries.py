"""Personal data and secrets reach no log, no fault, no problem document and no console: every text is a canary.

Exempt is what shows one order because its reader asks for it: `receiver orders show`, `orders list` (the customer's own
reference, by which support finds an order) and GET /orders with a reader's credentials.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connect_client.testing import AnswersFault, FakeConnect
from receiver.storage import tables
from tests.canaries import MARK, TEXT, assert_unmarked, count_of_texts, marked_order, members_of_type
from tests.databases import rows_of
from tests.doors import Doors
from tests.order_xml import create_order
from tests.relaying import CONFIRMED, INVOICE, NOTE
from tests.servers import PASSWORD, USERNAME, environment, running_receiver
from tests.wire import basic

SECRETS = {
    "RECEIVER_PASSWORD": f"{MARK}-lösen:ord",
    "RECEIVER_REPORTS_PASSWORD": f"{MARK}-rapport",
    "RECEIVER_HISTORY_PASSWORD": f"{MARK}-historik",
    "RECEIVER_ERP_SIGNING_SECRET": f"{MARK}-signatur",
    "RECEIVER_CONNECT_PASSWORD": f"{MARK}-norce",
}
NAMES = {
    "RECEIVER_USERNAME": USERNAME,
    "RECEIVER_REPORTS_USERNAME": "erp",
    "RECEIVER_HISTORY_USERNAME": "reader",
    "RECEIVER_CONNECT_USERNAME": "1042",
}
ERP = ("erp", SECRETS["RECEIVER_REPORTS_PASSWORD"])
READER = ("reader", SECRETS["RECEIVER_HISTORY_PASSWORD"])
NORCE = basic(USERNAME, SECRETS["RECEIVER_PASSWORD"])

ERP_THAT_TALKS = """
from receiver.couriers.function import Refused
def take(order):
    if order.client_order_ref.endswith("1"):
        raise RuntimeError(repr(order))
    raise KeyError(order.sell_to, order.lines)
"""


def broken_requests() -> Iterator[tuple[str, bytes]]:
    """Requests that must not be acknowledged, each with a canary in another place."""
    for simple in ("int", "decimal", "boolean", "dateTime", "guid"):
        for number, member in enumerate(members_of_type(simple)):
            yield f"{member} is no {simple}", marked_order(f"8{number:03}", values={member: TEXT})
    good = marked_order("900001").decode()
    yield "a reference too long", marked_order(f"{TEXT} {TEXT}")
    yield "not well-formed", good.replace("</s:Body>", "").encode()
    yield "a tag", good.replace("<s:Body>", f"<s:Body><{MARK}-1>", 1).encode()
    yield "an entity", good.replace("7</", f"&{MARK};</", 1).encode()
    yield "a DOCTYPE", f"<!DOCTYPE {MARK} [<!ENTITY a '{TEXT}'>]>{good}".encode()
    yield "cut short", good.encode()[: len(good) // 2]
    yield "text only", TEXT.encode()
    yield "another operation", good.replace("CreateOrder", f"{MARK}Order").encode()
    yield "invalid UTF-8", good.encode() + b"\xff"
    yield "latin-1", good.encode("latin-1")
    yield "text where members are", create_order(f"<ClientOrderRef>900002</ClientOrderRef><Items>{TEXT}</Items>")


@contextmanager
def relaying(folder: Path, database_url: str, norce: FakeConnect) -> Iterator[Path]:
    """A relay whose ERP and whose Norce quote the order in what they raise and answer; gives its log."""
    (folder / "talking.py").write_text(ERP_THAT_TALKS)
    log_file = folder / "relay.log"
    settings = {
        "RECEIVER_DATABASE_URL": database_url,
        "RECEIVER_ERP": "python:talking:take",
        "RECEIVER_CONNECT_URL": norce.url,
        **NAMES,
        **SECRETS,
    }
    with log_file.open("wb") as log:
        command = [sys.executable, "-m", "receiver", "relay"]
        process = subprocess.Popen(command, cwd=folder, env=environment(**settings), stdout=log, stderr=log)
    try:
        yield log_file
    finally:
        process.terminate()
        process.wait(60)


def test_the_canaries_stand_everywhere() -> None:
    assert count_of_texts() > 80
    with pytest.raises(AssertionError):
        assert_unmarked({"log": "Basic a2FuYXJpZS1sw7ZzZW46b3Jk"})
    with pytest.raises(AssertionError):
        assert_unmarked({"log": json.dumps({"text": TEXT})})


def test_no_answer_and_no_log_of_the_receiver_holds_a_canary(tmp_path: Path, database_url: str) -> None:
    written: dict[str, str | bytes] = {}
    with running_receiver(tmp_path, database_url, **NAMES, **SECRETS) as receiver:
        doors = Doors(receiver)
        for ref in ("700101", "700102"):
            answer = receiver.post(marked_order(ref), authorization=NORCE)
            assert b"<StatusCode>OK</StatusCode>" in answer.body
            written[f"acknowledgement {ref}"] = answer.body
        for about, request in broken_requests():
            answer = receiver.post(request, authorization=NORCE)
            assert b"<StatusCode>OK</StatusCode>" not in answer.body, about
            written[about] = str(answer.headers).encode() + answer.body
        for wrong in (basic(USERNAME, f"{MARK}-fel"), f"Bearer {MARK}", MARK, basic(MARK, PASSWORD)):
            answer = receiver.post(marked_order("900003"), authorization=wrong)
            assert answer.status == 401
            written[f"401 to {wrong}"] = str(answer.headers).encode() + answer.body
        garbage = f"{MARK} /{MARK} HTTP/1.1\r\n{MARK}: {MARK}\r\nContent-Length: {MARK}\r\n\r\n{TEXT}".encode()
        written["no HTTP"] = receiver.send(garbage, half_close=True).body
        written.update(answers_of_the_doors(doors))
    written["the receiver's log"] = receiver.log
    assert receiver.log.count("order_accepted") == 2
    assert_unmarked(written)


def answers_of_the_doors(doors: Doors) -> dict[str, str | bytes]:
    """What the doors say to requests that are wrong in every way."""
    said: dict[str, str | bytes] = {}
    report: dict[str, Any] = {"kind": "delivery-note", "client_order_ref": "700101", "report": NOTE}
    wrong_reports: list[Any] = [
        TEXT.encode(),
        f'{{"{MARK}": "{TEXT}"'.encode(),
        f'["{TEXT}"]'.encode(),
        {**report, "kind": TEXT},
        {**report, TEXT: TEXT},
        {**report, "report": {**NOTE, "parcels": TEXT, "note_no": [TEXT]}},
        {"kind": "invoice", "report": {**INVOICE, "vat": TEXT, "lines": [{"part_no": TEXT, "unit_price": TEXT}]}},
        {**report, "client_order_ref": TEXT},
    ]
    for number, wrong in enumerate(wrong_reports):
        answer = doors.report(wrong, auth=ERP)
        assert answer.status_code >= 400, wrong
        said[f"report {number}"] = f"{answer.headers} {answer.text}"
    said["report, wrong password"] = doors.report(report, auth=("erp", f"{MARK}-fel")).text
    for path in (
        f"/orders?state={MARK}",
        f"/orders?{MARK}@exempel.se=1",
        f"/orders?cursor={MARK}",
        f"/orders?limit={MARK}",
    ):
        answer = doors.ask(path, auth=READER)
        assert answer.status_code == 400, path
        said[path.replace(MARK, "…")] = answer.text
    said["orders, wrong password"] = doors.ask(f"/orders?state={MARK}", auth=("reader", MARK)).text
    return said


def test_no_log_of_the_relay_and_no_list_holds_a_canary(tmp_path: Path, database_url: str) -> None:
    with FakeConnect() as norce:
        norce.will(*[AnswersFault(TEXT)] * 20)
        with running_receiver(tmp_path, database_url, **NAMES, **SECRETS) as receiver:
            doors = Doors(receiver)
            for ref in ("700101", "700102"):
                receiver.post(marked_order(ref), authorization=NORCE)
            receiver.post(marked_order("700103", values={"LineNo": TEXT}), authorization=NORCE)
            personal_note = {**NOTE, "note_text": TEXT}
            for kind, report in (("delivery-note", personal_note), ("order-status", CONFIRMED), ("invoice", INVOICE)):
                taken = doors.report({"kind": kind, "client_order_ref": "700101", "report": report}, auth=ERP)
                assert taken.status_code == 202, taken.text
            with relaying(tmp_path, database_url, norce) as log_file:
                wait_for_attempts(database_url, orders=2)
    written: dict[str, str | bytes] = {"the receiver's log": receiver.log, "the relay's log": log_file.read_text()}
    for command in (["outbox"], ["dead-letters", "list"], ["dead-letters", "list", "--json"], ["refused", "list"]):
        written[" ".join(command)] = said_by(tmp_path, database_url, command)
    written["attempts"] = str([row["detail"] for row in rows_of(database_url, tables.outbox_attempts)])
    written["history"] = str([row["detail"] for row in rows_of(database_url, tables.order_history)])
    assert "message_put_off" in written["the relay's log"]
    assert_unmarked(written)


def wait_for_attempts(database_url: str, *, orders: int) -> None:
    """Wait until every order was tried once."""
    deadline = time.monotonic() + 30
    while len(rows_of(database_url, tables.outbox_attempts)) < orders:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def said_by(folder: Path, database_url: str, command: list[str]) -> str:
    """All that a command writes."""
    done = subprocess.run(
        [sys.executable, "-m", "receiver", *command],
        cwd=folder,
        env=environment(RECEIVER_DATABASE_URL=database_url, **NAMES, **SECRETS),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout + done.stderr
