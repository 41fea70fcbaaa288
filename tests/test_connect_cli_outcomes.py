"""How `connect-client` ends: exit codes, what it tells, wrong settings, and what `ping` finds."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connect_client import Operation
from connect_client.cli.settings import OPTIONS
from connect_client.testing import (
    DISPATCHER,
    Acts,
    ActsThenDrops,
    Answers,
    AnswersFault,
    Drops,
    FakeConnect,
    html,
    throttled,
    unauthorized,
)
from tests.certificates import Authority, server_context
from tests.connect_messages import EVERY_FIELD
from tests.connect_shell import Outcome, Shell, command, shell_to

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


ENDINGS: dict[str, tuple[Any, int, str]] = {
    "a refusal": (AnswersFault(f"No order for {PERSONAL}\x9b31m"), 1, "Refused"),
    "a refusal without a fault": (Answers(400), 1, "Refused"),
    "wrong credentials": (unauthorized(), 3, "Unauthorized"),
    "too many calls": (throttled(7), 3, "Throttled"),
    "another address": (Answers(404), 3, "Misdirected"),
    "a proxy's page": (html(502), 4, "ServerFailed"),
    "a defect of Norce": (AnswersFault(code="InternalServiceFault", namespace=DISPATCHER), 4, "ServerFailed"),
    "a dropped connection": (Drops(), 4, "ConnectionDropped"),
    "an act and a dropped connection": (ActsThenDrops(), 4, "ConnectionDropped"),
    "an answer that is none": (html(200), 4, "UnreadableReply"),
    "no answer in time": (Acts(after_seconds=1.5), 4, "TimedOut"),
}
NAMES = {1: "refused", 3: "not_delivered", 4: "outcome_unknown"}


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda text: text.replace(" ", "-"))
def test_the_exit_code_says_whether_norce_acted(ending: str, fake: FakeConnect, shell: Shell) -> None:
    behaviour, code, error = ENDINGS[ending]
    fake.will(behaviour)
    invoice = dataclasses.replace(EVERY_FIELD[Operation.CREATE_INVOICE], name=PERSONAL)
    arguments = ["--read-timeout", "0.5", "create-invoice", "--file", shell.file(invoice), "--json"]
    done = shell.run(*arguments)
    assert done.returncode == code
    told = json.loads(done.stdout)
    assert (told["outcome"], told["error"], told["operation"]) == (NAMES[code], error, "CreateInvoice")
    assert f"{error}: CreateInvoice: " in done.stderr
    assert f"request {told['request_id']}" in done.stderr
    assert ("look in Norce before you repeat this" in done.stderr) == (code == 4)
    assert ("the call may be repeated" in done.stderr) == (code == 3)
    assert all(line.startswith("connect-client: ") for line in done.stderr.splitlines())
    assert_nothing_secret(done, shell, is_fault_told=ending == "a refusal")


def assert_nothing_secret(done: Outcome, shell: Shell, *, is_fault_told: bool) -> None:
    written = done.stdout + done.stderr
    assert shell.settings["CONNECT_PASSWORD"] not in written
    assert "Traceback" not in written
    assert "\x9b" not in written
    if is_fault_told:
        assert f"connect-client: Norce says: No order for {PERSONAL} 31m" in done.stderr.splitlines()
        assert json.loads(done.stdout)["fault"]["text"] == f"No order for {PERSONAL}\x9b31m"
    else:
        assert PERSONAL not in written
        assert json.dumps(PERSONAL)[1:-1] not in written


def test_what_may_be_repeated_after_an_unknown_outcome_says_so(fake: FakeConnect, shell: Shell) -> None:
    fake.will(ActsThenDrops())
    done = shell.run("acknowledge", "1", "SO-1")
    assert done.returncode == 4
    assert "this call may be repeated" in done.stderr
    assert "look in Norce" not in done.stderr


def test_retrying_repeats_what_is_safe_and_nothing_else(fake: FakeConnect, shell: Shell) -> None:
    fake.will(html(503))
    done = shell.run("--verbose", "acknowledge", "1", "SO-1", "--retry")
    assert (done.returncode, done.stdout, fake.request_count) == (0, "SendOrderStatus: done\n", 2)
    assert "ServerFailed, SendOrderStatus" in done.stderr
    assert "SendOrderStatus: done in" in done.stderr
    fake.will(ActsThenDrops())
    invoice = shell.file(EVERY_FIELD[Operation.CREATE_INVOICE])
    assert shell.run("create-invoice", "--file", invoice, "--retry").returncode == 4
    assert fake.request_count == 3


@pytest.fixture
def heeds_interrupts() -> Iterator[None]:
    """A shell lets its background jobs, of which this run may be one, ignore interrupts, and processes inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_interrupts")
def test_an_interrupted_call_has_an_unknown_outcome(fake: FakeConnect, shell: Shell) -> None:
    fake.will(Acts(after_seconds=2.0))
    typed = command("acknowledge", "1", "SO-1")
    with subprocess.Popen(
        typed,
        cwd=shell.folder,
        env=shell.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: fake.request_count == 1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 4
    assert "interrupted during the call" in told


def test_a_defect_of_ours_is_neither_a_success_nor_a_refusal(shell: Shell) -> None:
    broken = "from connect_client.cli import commands, main; commands.load_calls = lambda: {}['hemligt']; main()"
    done = subprocess.run(
        [sys.executable, "-c", broken, "acknowledge", "1", "SO-1", "--dry-run"],
        cwd=shell.folder,
        env=shell.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert "connect-client: defect: KeyError at " in done.stderr
    assert "hemligt" not in done.stderr


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_output_that_cannot_be_written_does_not_change_the_code(fake: FakeConnect, shell: Shell) -> None:
    with Path("/dev/full").open("w") as full:
        typed = command("acknowledge", "1", "SO-1", "--json")
        done = subprocess.run(typed, cwd=shell.folder, env=shell.environment(), stdout=full, timeout=60, check=False)
    assert (done.returncode, len(fake.messages)) == (0, 1)


def test_wrong_settings_are_told_all_at_once_and_without_their_values(tmp_path: Path) -> None:
    settings = {
        "CONNECT_URL": "https://norce:hemligt@example.com",
        "CONNECT_USERNAME": "a:b",
        "CONNECT_PASSWORD": "hemligt",
        "CONNECT_PASSWORD_FILE": "nowhere",
        "CONNECT_KEY_FILE": "key.pem",
        "CONNECT_CA_FILE": "ca.pem",
        "CONNECT_CONNECT_TIMEOUT": "soon",
        "CONNECT_READ_TIMEOUT": "-1",
        "CONNECT_APPLICATION_ID": "Å",
        "CONNECT_APPLICATION_HEADER": "a b",
    }
    done = Shell(tmp_path, **settings).run("ping", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)["problems"]
    assert {problem["text"].partition(":")[0] for problem in told} == set(settings)
    assert "hemligt" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1 + len(settings)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "credentials: set CONNECT_USERNAME and CONNECT_PASSWORD"),
        ({"CONNECT_USERNAME": "a"}, "CONNECT_PASSWORD: is required too"),
        ({"CONNECT_CLIENT_ID": "a", "CONNECT_TOKEN_URL": "b"}, "CONNECT_CLIENT_SECRET: is required too"),
        ({"CONNECT_CLIENT_ID": "a", "CONNECT_PASSWORD": "b"}, "credentials: set those of one kind only"),
        ({"CONNECT_USERNAME": "a", "CONNECT_PASSWORD_FILE": "latin"}, "CONNECT_PASSWORD_FILE: must be UTF-8"),
        ({"CONNECT_USERNAME": "a", "CONNECT_PASSWORD_FILE": "empty"}, "CONNECT_PASSWORD_FILE: the file is empty"),
        ({"CONNECT_URL": "http://example.com"}, "CONNECT_URL: http:// would send the credentials in the clear"),
    ],
)
def test_incomplete_settings_are_refused(settings: dict[str, str], problem: str, tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("hemligt-lösenord".encode("latin-1"))
    (tmp_path / "empty").write_text("\n")
    done = Shell(tmp_path, **{"CONNECT_URL": "https://example.com", **settings}).run("acknowledge", "1", "SO-1")
    assert done.returncode == 2
    assert f"connect-client: {problem}" in done.stderr
    assert "senord" not in done.stderr


def test_no_option_takes_a_secret(shell: Shell) -> None:
    assert {"password", "client_secret"}.isdisjoint(OPTIONS)
    done = shell.run("--password=hemligt", "ping")
    assert done.returncode == 2
    assert "hemligt" not in done.stderr


def test_ping_says_what_it_found_and_reports_nothing(fake: FakeConnect, shell: Shell) -> None:
    done = shell.run("ping")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"address: an OrderService answers at {fake.url}",
        "TLS: none, plain HTTP within this machine",
        "credentials: accepted (basic authentication)",
    ]
    assert fake.messages == []


def test_ping_with_oauth2_and_an_application(fake: FakeConnect, tmp_path: Path) -> None:
    credentials = fake.client_credentials
    (tmp_path / "secret").write_text(credentials.client_secret + "\n")
    settings = {"CONNECT_TOKEN_URL": credentials.token_url, "CONNECT_CLIENT_ID": credentials.client_id}
    settings |= {
        "CONNECT_SCOPE": "playground",
        "CONNECT_CLIENT_SECRET_FILE": "secret",
        "CONNECT_APPLICATION_ID": "1042",
    }
    shell = Shell(tmp_path, CONNECT_URL=fake.url, **settings)
    done = shell.run("--application-header", "applicationId", "ping", "--json")
    assert json.loads(done.stdout) == {
        "outcome": "done",
        "operation": "Ping",
        "url": fake.url,
        "tls": "none, plain HTTP within this machine",
        "credentials": "OAuth2",
    }
    assert shell.run("acknowledge", "1", "SO-1").returncode == 0
    assert fake.received[0].headers["application-id"] == "1042"


def test_ping_names_wrong_credentials_and_wrong_addresses(fake: FakeConnect, shell: Shell) -> None:
    wrong = shell.run("ping", CONNECT_PASSWORD="hemligt")
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert "does not accept the credentials" in wrong.stderr
    assert "hemligt" not in wrong.stderr
    elsewhere = shell.run("ping", CONNECT_URL=fake.url.replace("OrderService.svc", "Other.svc"))
    assert elsewhere.returncode == 3
    assert "it is no OrderService" in elsewhere.stderr
    nowhere = shell.run("--url", "https://127.0.0.1:1/OrderService.svc", "ping")
    assert nowhere.returncode == 3
    assert "no connection came about" in nowhere.stderr
    fake.will(html(200))
    page = shell.run("ping")
    assert page.returncode == 4
    assert "the check changes nothing and may be repeated" in page.stderr


def test_ping_over_tls_trusts_only_the_authority_it_was_given(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "authority"), Authority(tmp_path, "stranger")
    with FakeConnect(ssl_context=server_context(authority.certificate("server"))) as fake:
        shell = shell_to(fake, tmp_path)
        trusted = shell.run("ping", CONNECT_CA_FILE=str(authority.file))
        assert trusted.returncode == 0, trusted.stderr
        assert "TLS: trusted" in trusted.stdout.splitlines()
        distrusted = shell.run("--ca-file", str(stranger.file), "ping")
        assert distrusted.returncode == 3
        assert "TlsFailed" in distrusted.stderr
        assert "CONNECT_CA_FILE" in distrusted.stderr
        assert fake.request_count == 1
