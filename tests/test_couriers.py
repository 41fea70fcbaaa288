"""The ways to the ERP that need no broker, against the real thing."""

from __future__ import annotations

import importlib
import json
import sys
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from receiver.couriers.choose import erp_courier
from receiver.couriers.in_turn import in_turn
from receiver.errors import SettingsInvalid
from receiver.outbox.message import Outcome, Verdict
from receiver.ports import Delivery, HandOver
from receiver.soap.service import order_reader
from receiver.storage.packing import Packing
from tests.couriers import DELIVERED, NO_APPLICATION, courier_to, deliver, order
from tests.order_xml import order_xml
from tests.relaying import XML


def test_a_folder_gets_one_whole_file_for_each_order(tmp_path: Path) -> None:
    with courier_to(f"dir:{tmp_path}") as courier:
        assert deliver(courier, order("1"), order("2"), order("1")) == [DELIVERED] * 3
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{ref}-{NO_APPLICATION}-r1.xml" for ref in ("1", "2")]
    assert (tmp_path / f"1-{NO_APPLICATION}-r1.xml").read_bytes() == order_xml("1")
    with courier_to(f"dir:{tmp_path}?format=json") as courier:
        deliver(courier, order("1"))
    assert json.loads((tmp_path / f"1-{NO_APPLICATION}-r1.json").read_text("utf-8"))["client_order_ref"] == "1"


@pytest.mark.parametrize(
    "ref", ["../../etc/passwd", "a/b", ".", "..", "." * 49, "å ä ö", "con:*?", "-rf", "%2E", "\U0001f4e6" * 49]
)
def test_no_reference_leaves_the_folder_or_meets_another(tmp_path: Path, ref: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with courier_to(f"dir:{inside}") as courier:
        assert deliver(courier, order(ref), order(ref + "x"), order("x" + ref)) == [DELIVERED] * 3
    assert [file.name for file in tmp_path.iterdir()] == ["inside"]
    assert len(list(inside.iterdir())) == 3


def test_a_folder_that_is_gone_is_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    with courier_to(f"dir:{folder}") as courier:
        folder.rmdir()
        (verdict,) = deliver(courier, order(), order("2"))
    assert (verdict.outcome, verdict.is_down) == (Outcome.NOT_DELIVERED, True)


def test_a_stored_request_that_was_damaged_is_a_dead_letter(tmp_path: Path) -> None:
    def damaged() -> bytes:
        return Packing().unpack(b"\x78\x9c damaged")

    (delivery,) = [order("1")]
    delivery = replace(delivery, hand_over=HandOver(damaged, lambda: order_reader()(damaged(), XML)))
    for form in ("xml", "json"):
        with courier_to(f"dir:{tmp_path}?format={form}") as courier:
            (verdict,) = deliver(courier, delivery)
        assert verdict.outcome is Outcome.REFUSED
        assert verdict.detail == "the stored request can no longer be read: PayloadUnreadable"


@pytest.fixture
def erp_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "merchants_erp.py").write_text(
        "from receiver.couriers.function import Refused\n"
        "seen = []\n"
        "def take(order):\n"
        "    seen.append(order)\n"
        "    if order.client_order_ref == 'no': raise Refused('unknown part ' + 'x' * 300)\n"
        "    if order.client_order_ref == 'broken': raise KeyError('Åsa 19800101-1234')\n"
        "    if order.client_order_ref == 'exits': raise SystemExit('Åsa 19800101-1234')\n"
        "    return 'SO-' + order.client_order_ref if order.client_order_ref != 'quiet' else None\n"
        "number = 7\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "merchants_erp", raising=False)
    return "python:merchants_erp:take"


def test_a_function_gets_the_order_and_may_confirm_or_refuse_it(erp_module: str) -> None:
    with courier_to(erp_module) as courier:
        confirmed, quiet, refused, broken, exits, after = deliver(
            courier, *(order(ref) for ref in ("1", "quiet", "no", "broken", "exits", "2"))
        )
    assert (confirmed.erp_order_no, quiet.erp_order_no, after.erp_order_no) == ("SO-1", None, "SO-2")
    assert refused.outcome is Outcome.REFUSED
    assert refused.detail is not None
    assert refused.detail.startswith("unknown part")
    assert len(refused.detail) == 200
    assert broken == Verdict(Outcome.NOT_DELIVERED, "the function raised KeyError")
    assert exits == Verdict(Outcome.NOT_DELIVERED, "the function raised SystemExit")
    assert sys.modules["merchants_erp"].seen[0].lines[0].unit_price == Decimal("99.9000")


@pytest.mark.parametrize(
    "way",
    [
        "", "ftp://erp/orders", "erp", "amqp:", "amqp://", "http://erp.example/orders", "https://",
        "dir:/no/such/folder", "dir:/tmp?format=pdf", "dir:/tmp?colour=blue", "python:", "python:no.such.module:f",
        "python:os:no_such_function", "python:os:sep", "python:..x:f", "ftp://user:hemligt@erp/", "dir:",
        "amqp://shop:hemligt@host:hemligt//", "amqp://shop:hem#ligt@host//", "amqp://shop:hemligt@h//?exchnage=orders",
        "amqp://shop:hemligt@h//?exchange=", "amqps://shop:hemligt@ex\u2100mple//", "https://shop:hemligt@ex\u2100mple/",
        "https://shop:hemligt@host:hemligt/", "https://[::1/", "https://host:99999/", "https://shop:hemligt@*example/",
    ],
)  # fmt: skip
def test_a_way_that_cannot_be_right_fails_at_start_up(way: str) -> None:
    with pytest.raises(SettingsInvalid, match="RECEIVER_ERP") as caught:
        erp_courier(way, signing_secret=None)
    assert "hemligt" not in str(caught.value)
    assert "ligt@" not in str(caught.value)


def test_a_module_that_cannot_be_imported_fails_at_start_up(erp_module: str, tmp_path: Path) -> None:
    (tmp_path / "exits_erp.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    (tmp_path / "fails_erp.py").write_text("raise RuntimeError('hemligt')\n", encoding="utf-8")
    (tmp_path / "unread_erp.py").write_text("def take(order:\n", encoding="utf-8")
    for name in ("exits_erp", "fails_erp", "unread_erp"):
        with pytest.raises(SettingsInvalid, match=f"{name}:take cannot be imported") as caught:
            erp_courier(f"python:{name}:take", signing_secret=None)
        assert "hemligt" not in str(caught.value)


@pytest.mark.parametrize("written", ["async def take(order): ...", "def take(order): yield 1"])
def test_a_function_that_would_not_run_fails_at_start_up(erp_module: str, tmp_path: Path, written: str) -> None:
    (tmp_path / "lazy_erp.py").write_text(written, encoding="utf-8")
    sys.modules.pop("lazy_erp", None)
    importlib.invalidate_caches()
    with pytest.raises(SettingsInvalid, match="lazy_erp:take must be a plain function"):
        erp_courier("python:lazy_erp:take", signing_secret=None)


def test_what_was_delivered_before_one_that_breaks_keeps_its_verdict() -> None:
    tried: list[str] = []

    def attempt(delivery: Delivery) -> Verdict:
        tried.append(delivery.message.client_order_ref)
        if tried[-1] == "2":
            raise ZeroDivisionError
        return DELIVERED

    later = time.monotonic() + 60
    assert in_turn([order("1"), order("2"), order("3")], attempt, until=later) == [DELIVERED]
    assert tried == ["1", "2"]
    with pytest.raises(ZeroDivisionError):
        in_turn([order("2")], attempt, until=later)


def test_a_folder_that_may_not_be_written_is_waited_for(tmp_path: Path) -> None:
    # Root may write anywhere, so the file's place is taken by a folder instead of its permissions.
    (tmp_path / f"700101-{NO_APPLICATION}-r1.xml").mkdir()
    with courier_to(f"dir:{tmp_path}") as courier:
        (verdict,) = deliver(courier, order())
    assert (verdict.outcome, verdict.is_down) == (Outcome.NOT_DELIVERED, True)
    assert [file.name for file in tmp_path.iterdir()] == [f"700101-{NO_APPLICATION}-r1.xml"]


def test_the_time_to_begin_is_kept(tmp_path: Path) -> None:
    with courier_to(f"dir:{tmp_path}") as courier:
        assert list(courier.deliver([order()], until=time.monotonic() - 1)) == []
    assert list(tmp_path.iterdir()) == []
