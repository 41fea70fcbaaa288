"""`receiver demo` shows the whole way of an order on a machine where nothing is set up, and cleans up behind itself."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from receiver.storage.tables import order_history, orders, refused_receipts
from tests.databases import rows_of
from tests.servers import environment, run_command


@pytest.fixture
def bind() -> str:
    """An address that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def is_listening(bind: str) -> bool:
    """Whether anyone accepts connections there."""
    host, _, port = bind.partition(":")
    with socket.socket() as caller:
        return caller.connect_ex((host, int(port))) == 0


@contextmanager
def running_demo(folder: Path, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """A demo that goes on serving, its log in a file; ended if the test has not done it."""
    with (folder / "demo.log").open("w") as log:
        demo = subprocess.Popen(
            [sys.executable, "-m", "receiver", "demo"],
            cwd=folder,
            env=environment(**settings),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    with demo:
        try:
            yield demo
        finally:
            demo.terminate()


def read_until(demo: subprocess.Popen[str], text: str) -> str:
    """What the demo writes up to and with the line that holds the text."""
    assert demo.stdout is not None
    lines = []
    for line in demo.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"the demo ended without {text!r}:\n{''.join(lines)}")


def test_the_demo_needs_no_settings_and_shows_what_happened(tmp_path: Path, bind: str) -> None:
    done = run_command("demo", "--once", folder=tmp_path, RECEIVER_BIND=bind)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^[1-5]_\w+\.http +200  OK", done.stdout, re.MULTILINE)) == 5
    assert re.search(r"^5_refused.http +200  Failed  Items/OrderItem\[1\]/Quantity: 'two'", done.stdout, re.MULTILINE)
    assert "The same answer, byte for byte, and still one order." in done.stdout
    assert "Order 700101, revision 1 of 1: 2 lines" in done.stdout
    assert "(and 1 more)" in done.stdout
    assert "Serving until" not in done.stdout
    assert not is_listening(bind)


def test_the_demo_stores_each_order_once_however_often_it_runs(tmp_path: Path, bind: str) -> None:
    for _ in range(2):
        run_command("demo", "--once", folder=tmp_path, RECEIVER_BIND=bind)
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    stored = rows_of(url, orders)
    assert [(row["client_order_ref"], row["revision"]) for row in stored] == [
        ("700101", 1),
        ("700102", 1),
        ("700103", 1),
        ("700104", 1),
    ]
    first = rows_of(url, order_history, order_id=stored[0]["id"])
    assert [row["event"] for row in first] == ["received", "repeated", "repeated", "repeated"]
    (refused,) = rows_of(url, refused_receipts)
    assert (refused["client_order_ref"], refused["times"]) == ("700105", 2)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_demo_serves_until_it_is_told_to_end(tmp_path: Path, bind: str, how: signal.Signals) -> None:
    with running_demo(tmp_path, RECEIVER_BIND=bind) as demo:
        read_until(demo, "curl ")
        assert is_listening(bind)
        demo.send_signal(how)
        assert demo.wait(30) == 0
    assert not is_listening(bind)


def test_the_lines_that_the_demo_ends_with_can_be_pasted(tmp_path: Path, bind: str) -> None:
    with running_demo(tmp_path, RECEIVER_BIND=bind) as demo:
        advice = read_until(demo, "curl ").partition("Serving until")[2].splitlines()[1:]
        assert len(advice) == 5
        can_curl = shutil.which("curl") is not None
        script = "\n".join(["set -e", *(advice if can_curl else advice[:-1])])
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert "Order 700101, revision 1 of 1: 2 lines" in done.stdout
    assert "<StatusCode>OK</StatusCode>" in done.stdout or not can_curl


def test_given_credentials_are_used_and_not_shown(tmp_path: Path, bind: str) -> None:
    given = {"RECEIVER_USERNAME": "norce", "RECEIVER_PASSWORD": "s3cret:x", "RECEIVER_BIND": bind}
    with running_demo(tmp_path, **given) as demo:
        written = read_until(demo, "curl ")
    assert "4_minimal.http" in written
    assert "s3cret" not in written
    assert "RECEIVER_PASSWORD=" not in written
    assert "s3cret" not in (tmp_path / "demo.log").read_text("utf-8")


def test_an_open_receiver_is_shown_without_credentials(tmp_path: Path, bind: str) -> None:
    with running_demo(tmp_path, RECEIVER_BIND=bind, RECEIVER_ALLOW_ANONYMOUS="true") as demo:
        written = read_until(demo, "curl ")
    assert "curl -H " in written
    assert "request_unauthorized" not in (tmp_path / "demo.log").read_text("utf-8")


def test_a_taken_port_is_said_and_nothing_is_posted_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        done = run_command("demo", "--once", folder=tmp_path, RECEIVER_BIND=bind)
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()
    assert done.returncode == 1
    assert done.stderr == f"cannot listen on {bind}: Address already in use; set RECEIVER_BIND to another address\n"


def test_invented_orders_get_into_no_database_that_an_erp_may_read(tmp_path: Path, bind: str) -> None:
    url = "postgresql://erp.example/orders"
    done = run_command("demo", "--once", folder=tmp_path, RECEIVER_BIND=bind, RECEIVER_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "on SQLite only" in done.stderr


def test_wrong_settings_are_said_before_anything_starts(tmp_path: Path) -> None:
    done = run_command("demo", folder=tmp_path, RECEIVER_USERNAME="norce", RECEIVER_WORKERS="many")
    assert (done.returncode, done.stdout) == (1, "")
    assert "RECEIVER_WORKERS" in done.stderr


def test_a_receiver_that_ends_by_itself_ends_the_demo(tmp_path: Path, bind: str) -> None:
    url = "sqlite:////nowhere/at/all/receiver.db"
    done = run_command("demo", folder=tmp_path, RECEIVER_BIND=bind, RECEIVER_DATABASE_URL=url)
    assert done.returncode == 1
    assert "the receiver ended by itself (exit code 1)" in done.stderr
