"""Stored requests are encrypted where there are keys, and keys can be changed while the receiver runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from receiver.errors import PayloadUnreadable
from receiver.storage import tables
from receiver.storage.packing import ERASED, Packing
from tests.answers import OK, order_response
from tests.conftest import StartReceiver
from tests.databases import rows_of
from tests.order_xml import order_xml, other_writing
from tests.servers import CREDENTIALS, run_command

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
BODY = order_xml("1")


def payloads(url: str) -> list[bytes]:
    return [row["payload"] for table in (tables.order_payloads, tables.refused_receipts) for row in rows_of(url, table)]


def test_what_is_stored_says_itself_how_it_is_stored() -> None:
    plain, old, both = Packing(), Packing([OLD]), Packing([NEW, OLD])
    for packing in (plain, old, both):
        assert both.unpack(packing.pack(BODY)) == BODY
    assert BODY not in old.pack(BODY)
    assert [both.is_current(each.pack(BODY)) for each in (plain, old, both)] == [False, False, True]
    assert [plain.is_current(each.pack(BODY)) for each in (plain, old)] == [True, False]
    assert both.is_current(ERASED)
    assert plain.is_current(ERASED)
    tampered = bytearray(old.pack(BODY))
    tampered[40] ^= 1
    for packing, payload, why in (
        (plain, old.pack(BODY), "its key is not in"),
        (Packing([LOST]), old.pack(BODY), "its key is not in"),
        (old, bytes(tampered), "damaged"),
        (old, ERASED, "was erased"),
        (old, b"x\x9c nothing", "damaged"),
    ):
        with pytest.raises(PayloadUnreadable, match=why):
            packing.unpack(payload)


def test_keys_are_introduced_and_changed_without_losing_an_order(
    start_receiver: StartReceiver, database_url: str, tmp_path: Path
) -> None:
    def run(*command: str, keys: str) -> str:
        settings = {**CREDENTIALS, "RECEIVER_DATABASE_URL": database_url, "RECEIVER_PAYLOAD_KEYS": keys}
        done = run_command(*command, folder=tmp_path, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    open_receiver = start_receiver(database_url)
    assert order_response(open_receiver.post(BODY)) == OK
    assert open_receiver.post(b"<broken").status == 500
    open_receiver.stop()
    encrypting = start_receiver(database_url, RECEIVER_PAYLOAD_KEYS=OLD)
    assert order_response(encrypting.post(order_xml("2"))) == OK
    # A repeat in other words is compared with what is stored, open or not.
    for ref in ("1", "2"):
        assert order_response(encrypting.post(other_writing(ref))) == OK
    assert {row["event"] for row in rows_of(database_url, tables.order_history)} == {"received", "repeated"}
    assert sum(payload.startswith(b"gA") for payload in payloads(database_url)) == 1
    assert run("rekey", keys=f"{NEW}, {OLD}").startswith("3 requests")
    assert run("rekey", keys=f"{NEW}\n{OLD}").startswith("0 requests")
    keyless = run_command("rekey", folder=tmp_path, **CREDENTIALS, RECEIVER_DATABASE_URL=database_url)
    assert keyless.returncode == 1
    for name in ("order 1, revision 1", "order 2, revision 1", "refused request 1"):
        assert f"No key opens the request of {name};" in keyless.stdout
    assert all(Packing([NEW]).unpack(payload) for payload in payloads(database_url))
    assert run("orders", "show", "1", "--xml", keys=NEW) == BODY.decode()
    lost = run_command(
        "orders", "show", "1", "--xml", folder=tmp_path, **CREDENTIALS, RECEIVER_DATABASE_URL=database_url
    )
    assert (lost.returncode, lost.stdout) == (1, "")
    assert "RECEIVER_PAYLOAD_KEYS" in lost.stderr


def test_a_key_that_is_none_is_said_at_the_start_and_not_shown(tmp_path: Path) -> None:
    for wrong in ("hemlig", f"{OLD},hemlig", OLD[:-2]):
        done = run_command("serve", folder=tmp_path, **CREDENTIALS, RECEIVER_PAYLOAD_KEYS=wrong)
        assert done.returncode == 1
        assert "RECEIVER_PAYLOAD_KEYS: each key must be 32 bytes" in done.stderr
        assert wrong not in done.stderr
    file = tmp_path / "keys"
    file.write_text(f"{NEW}\n{OLD}\n")
    done = run_command("migrate", folder=tmp_path, **CREDENTIALS, RECEIVER_PAYLOAD_KEYS_FILE=str(file))
    assert done.returncode == 0, done.stderr
