"""How `connect-client` makes messages of files and options, run as people run it, against a real server."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connect_client import (
    BasicAuth,
    Cancellation,
    ConnectClient,
    DeliveredLine,
    Operation,
    OrderStatus,
    OrderStatusUpdate,
)
from connect_client.cli.commands import commands, operation_command
from connect_client.cli.field_texts import field_texts
from connect_client.testing import (
    FakeConnect,
)
from tests.connect_messages import EVERY_FIELD
from tests.connect_shell import Shell, command, shell_to

PERSONAL = "Åsa Öberg 19121212-1212"


@pytest.fixture
def fake() -> Any:
    """An OrderService of the test's own."""
    with FakeConnect() as server:
        yield server


@pytest.fixture
def shell(fake: FakeConnect, tmp_path: Path) -> Shell:
    """A shell whose settings lead to it."""
    return shell_to(fake, tmp_path)


def named(operation: Operation) -> str:
    return operation.name.lower().replace("_", "-")


def test_every_operation_has_a_command_named_after_its_method() -> None:
    names = {each.name for each in commands()}
    assert names == {named(each) for each in Operation} | {"acknowledge", "ping"}
    assert all(callable(getattr(ConnectClient, str(name).replace("-", "_"))) for name in names)


@pytest.mark.parametrize("operation", Operation)
def test_every_field_has_an_option_of_its_own_and_a_help_text(operation: Operation) -> None:
    spelled = [
        name for option in operation_command(operation).params for name in (*option.opts, *option.secondary_opts)
    ]
    assert len(spelled) == len(set(spelled))
    fields = {field.name for field in dataclasses.fields(operation.message)}
    assert fields <= {option.name for option in operation_command(operation).params}
    assert set(field_texts(operation.message)) == fields


@pytest.mark.parametrize("operation", Operation, ids=named)
def test_every_message_travels_from_a_file(operation: Operation, fake: FakeConnect, shell: Shell) -> None:
    message = EVERY_FIELD[operation]
    done = shell.run(named(operation), "--file", shell.file(message))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{operation.wire_name}: done\n", "")
    with ConnectClient(fake.url, auth=fake.basic_auth) as client:
        assert [each.envelope for each in fake.received] == [client.envelope(operation, message)]


def test_standard_input_will_do_as_a_file_and_options_replace_its_fields(fake: FakeConnect, shell: Shell) -> None:
    document = json.dumps({"client_order_ref": 1, "status": "OnHold", "infos": {"Carrier": "DHL"}})
    typed = [
        "--client-order-ref",
        "123",
        "--info",
        "Carrier=PostNord",
        "--info",
        "Note=a=b",
        "--line-status",
        "2=Delivered",
    ]
    done = shell.run("send-order-status", "--file", "-", *typed, stdin=document)
    assert (done.returncode, done.stderr) == (0, "")
    expected = OrderStatusUpdate(
        client_order_ref=123,
        status=OrderStatus.ON_HOLD,
        infos={"Carrier": "PostNord", "Note": "a=b"},
        line_statuses={2: OrderStatus.DELIVERED},
    )
    assert fake.messages == [expected]


def test_parts_are_typed_as_json_and_keep_their_decimals(fake: FakeConnect, shell: Shell) -> None:
    head = "--order-no SO-1 --note-no DN-1 --delivery-date 2026-11-23T10:00:00+01:00 --status PartlyDelivered"
    parts = [
        *("--line", '{"row_number": 1, "part_no": "A", "quantity": 2.50}'),
        *("--line", '{"row_number": "2", "part_no": "B", "quantity": "0.1"}'),
        *("--parcel", '{"tracking_no": "373500", "status": 4}'),
        *("--delivery-address", '{"city": "Malmö", "country": "SE"}'),
    ]
    done = shell.run("create-delivery-note", *head.split(), *parts, "--no-is-printed")
    assert (done.returncode, done.stderr) == (0, "")
    (note,) = fake.messages
    assert note.lines[0] == DeliveredLine(row_number=Decimal(1), part_no="A", quantity=Decimal("2.50"))
    assert str(note.lines[0].quantity) == "2.50"
    assert (note.parcels[0].status, note.delivery_address.city, note.is_printed) == (4, "Malmö", False)


def test_a_cancellation_and_an_acknowledgement_need_no_file(fake: FakeConnect, shell: Shell) -> None:
    payment = '{"payment_ref": "psp-1", "amount": "99.90"}'
    assert shell.run("cancel-order", "--erp-order-no", "SO-1", "--payment", payment).returncode == 0
    assert shell.run("acknowledge", "123456", "SO-1").returncode == 0
    cancelled, acknowledged = fake.messages
    assert isinstance(cancelled, Cancellation)
    assert cancelled.payments[0].amount == Decimal("99.90")
    assert acknowledged == OrderStatusUpdate(client_order_ref=123456, erp_order_no="SO-1", status=OrderStatus.CONFIRMED)


def test_every_problem_is_named_with_its_path_and_nothing_is_sent(fake: FakeConnect, shell: Shell) -> None:
    typed = ["--line", json.dumps({"quantity": 1.5, "name": PERSONAL}), "--line", '{"line_no"', "--suppress-psp-call"]
    done = shell.run("create-invoice", "--currency-code", "kr", "--vat", "1,5", *typed)
    assert (done.returncode, done.stdout) == (2, "")
    lines = [line.removeprefix("connect-client: ") for line in done.stderr.splitlines()]
    assert lines[0] == "CreateInvoice: nothing was sent, the message does not fit the contract"
    expected = {
        "needs invoice_no or client_order_ref",
        "erp_order_no: is required",
        "currency_code: must be an ISO 4217 code of three capital letters, such as SEK",
        "vat: must be a Decimal",
        "lines[0].quantity: must be a whole number",
        "lines[0].name: is no field of this message",
        "lines[1]: is no JSON",
        "is_last_for_order: is required",
    }
    assert expected <= set(lines)
    assert PERSONAL not in done.stderr
    assert fake.request_count == 0


def test_the_path_of_a_problem_names_fields_only(shell: Shell) -> None:
    parcel = '{"tracking_no": "1", "status": "sent"}'
    done = shell.run(
        "create-delivery-note", "--parcel", parcel, "--delivery-address", '{"country": "Sverige"}', "--json"
    )
    paths = [problem["path"] for problem in json.loads(done.stdout)["problems"]]
    assert "parcels[0].status" in paths
    assert "delivery_address.country" in paths
    assert all(re.fullmatch(r"[a-z_0-9.\[\]]*", path) for path in paths)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        (["--info", "Carrier"], "infos: must be typed as NAME=VALUE"),
        (["--info", "a=1", "--info", "a=2"], "infos.a: is given twice"),
        (["--line-status", "x=Delivered"], "line_statuses.x: must be a whole number"),
    ],
)
def test_mappings_are_typed_one_pair_at_a_time(typed: list[str], problem: str, shell: Shell) -> None:
    done = shell.run("send-order-status", "--erp-order-no", "SO-1", "--status", "OnHold", *typed, "--json")
    assert done.returncode == 2
    assert f"connect-client: {problem}" in done.stderr.splitlines()
    path, text = problem.split(": ")
    assert json.loads(done.stdout)["problems"] == [{"path": path, "text": text}]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"status": \n"OnHold"', "the file is no JSON (line 2, column 9)"),
        ('["OnHold"]', "the file must hold a JSON object"),
        ('{"status": "OnHold", "Åsa": 1}', "(a name of 3 characters): is no field of this message"),
    ],
)
def test_a_file_that_is_no_message_is_refused(content: str, problem: str, shell: Shell) -> None:
    done = shell.run("send-order-status", "--erp-order-no", "SO-1", "--file", "-", stdin=content)
    assert done.returncode == 2
    assert f"connect-client: {problem}" in done.stderr.splitlines()


def test_a_file_that_is_not_there_is_a_wrong_use(shell: Shell) -> None:
    for name in ("nowhere.json", "."):
        done = shell.run("send-order-status", "--file", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("operation", Operation, ids=named)
def test_a_dry_run_prints_the_envelope_and_needs_no_settings(operation: Operation, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    typed = command(named(operation), "--file", shell.file(EVERY_FIELD[operation]), "--dry-run")
    done = subprocess.run(typed, cwd=tmp_path, env=shell.environment(), capture_output=True, timeout=60, check=True)
    client = ConnectClient("https://localhost", auth=BasicAuth("", ""))
    assert done.stdout == client.envelope(operation, EVERY_FIELD[operation])
    assert done.stderr.decode() == f"connect-client: {operation.wire_name}: a dry run, nothing was sent\n"


def test_a_dry_run_as_json_holds_the_envelope_as_text(tmp_path: Path) -> None:
    done = Shell(tmp_path).run("acknowledge", "1", "SO-å", "--dry-run", "--json")
    told = json.loads(done.stdout)
    assert (told["outcome"], told["is_dry_run"]) == ("done", True)
    assert "<ErpOrderNo>SO-å</ErpOrderNo>" in told["envelope"]


def test_help_explains_every_field_and_the_exit_codes(shell: Shell) -> None:
    assert "4  the outcome is unknown" in shell.run("--help").stdout
    for operation in Operation:
        done = shell.run(named(operation), "--help")
        assert (done.returncode, done.stderr) == (0, "")
        told = " ".join(done.stdout.split())
        first = dataclasses.fields(operation.message)[0].name
        assert field_texts(operation.message)[first] in told
