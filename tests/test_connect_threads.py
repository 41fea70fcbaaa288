"""One client in many threads and processes, and what is repeated when a call fails."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connect_client import (
    CallFailed,
    Cancellation,
    ConnectClient,
    ConnectionDropped,
    InvalidMessage,
    Operation,
    OrderStatus,
    OrderStatusUpdate,
    Refused,
    ServerFailed,
    Throttled,
    TimedOut,
    Timeouts,
    Unauthorized,
    retrying,
)
from connect_client.testing import (
    Acts,
    ActsThenDrops,
    AnswersFault,
    Behaviour,
    FakeConnect,
    html,
    throttled,
    unauthorized,
)
from tests.connect_messages import EVERY_FIELD
from tests.raw_servers import UPDATE, Caller, RawServer, client_of, http_reply
from tests.test_connect_replies import SUCCESS

ROOT = Path(__file__).resolve().parent.parent
ONCE_ONLY = [operation for operation in Operation if not operation.is_repeatable]
REPEATABLE = [operation for operation in Operation if operation.is_repeatable]


def test_eight_threads_share_a_client_and_nothing_is_mixed() -> None:
    def update(thread: int, number: int) -> OrderStatusUpdate:
        infos = {"Thread": f"{thread}-{number}", "Long": f"å{thread}" * 2000}
        return OrderStatusUpdate(
            client_order_ref=thread * 1000 + number, status=OrderStatus.DELIVERED, infos=dict(infos)
        )

    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        together = threading.Barrier(8)

        def send(thread: int) -> None:
            together.wait()
            for number in range(1, 26):
                client.send_order_status(update(thread, number))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(send, range(1, 9)))
        wanted = {(thread, number) for thread in range(1, 9) for number in range(1, 26)}
        found = [divmod(message.client_order_ref, 1000) for message in fake.messages]
        assert len(found) == len(set(found)) == 200
        assert set(found) == wanted
        assert all(message == update(*divmod(message.client_order_ref, 1000)) for message in fake.messages)
        assert len({received.headers["X-Request-Id"] for received in fake.received}) == 200


def test_each_thread_has_a_connection_of_its_own_and_gets_its_own_answer() -> None:
    """A server that answers each message with what belongs to it: even references fail, odd ones go through."""

    def judge(caller: Caller) -> None:
        while request := caller.request():
            is_even = b"0</ClientOrderRef>" in request
            caller.connection.sendall(http_reply("429 X") if is_even else http_reply("200 OK", SUCCESS))

    with RawServer(judge) as server, client_of(server.url) as client:
        together = threading.Barrier(8)

        def send(thread: int) -> None:
            together.wait()
            for number in range(20):
                update = OrderStatusUpdate(client_order_ref=thread * 100 + number % 2, status=OrderStatus.DELIVERED)
                if number % 2 == 0:
                    with pytest.raises(Throttled):
                        client.send_order_status(update)
                else:
                    client.send_order_status(update)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(send, range(1, 9)))
        assert (server.connection_count, len(server.requests)) == (8, 160)


FORKING = """
import os, sys
from connect_client import BasicAuth, ConnectClient, OrderStatus, OrderStatusUpdate
url, user, password = sys.argv[1:]
client = ConnectClient(url, auth=BasicAuth(user, password))
def send(number):
    client.send_order_status(OrderStatusUpdate(client_order_ref=number, status=OrderStatus.DELIVERED))
send(1)
children = []
for child in (2, 3):
    pid = os.fork()
    if pid == 0:
        for number in range(20):
            send(child * 100 + number)
        client.close()
        os._exit(0)
    children.append(pid)
for number in range(20):
    send(100 + number)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
# The connection from before the fork is still the parent's, whatever the children closed.
send(4)
client.close()
sys.exit(any(codes))
"""


def test_a_client_made_before_a_fork_serves_parent_and_children() -> None:
    with FakeConnect() as fake:
        auth = fake.basic_auth
        command = [sys.executable, "-W", "error", "-c", FORKING, fake.url, auth.username, auth.password]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
        wanted = {1, 4} | {each * 100 + number for each in (1, 2, 3) for number in range(20)}
        assert {message.client_order_ref for message in fake.messages} == wanted
        assert fake.request_count == len(wanted)


@pytest.mark.parametrize("operation", Operation)
def test_what_was_not_delivered_is_repeated_whatever_it_is(operation: Operation) -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        fake.will(throttled(0), unauthorized(), html(404))
        retrying(client, waits=(0, 0, 0)).send(operation, EVERY_FIELD[operation])
        assert (fake.request_count, len(fake.messages)) == (4, 1)


@pytest.mark.parametrize("operation", REPEATABLE)
def test_an_unknown_outcome_is_repeated_where_doing_it_twice_is_as_doing_it_once(operation: Operation) -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        fake.will(ActsThenDrops(), html(500))
        retrying(client, waits=(0, 0, 0)).send(operation, EVERY_FIELD[operation])
        assert (fake.request_count, len(fake.messages)) == (3, 2)


@pytest.mark.parametrize("operation", ONCE_ONLY)
def test_an_unknown_outcome_is_never_repeated_where_money_or_goods_may_move_twice(operation: Operation) -> None:
    assert {Operation.CREATE_INVOICE, Operation.CREDIT_PAYMENT} <= set(ONCE_ONLY)
    cases: list[tuple[Behaviour, type[CallFailed]]]
    cases = [(ActsThenDrops(), ConnectionDropped), (html(502), ServerFailed), (Acts(after_seconds=0.4), TimedOut)]
    with FakeConnect() as fake:
        timeouts = Timeouts(connect=5, read=0.2)
        with ConnectClient(fake.url, auth=fake.basic_auth, timeouts=timeouts) as client:
            for count, (behaviour, error) in enumerate(cases, start=1):
                fake.will(behaviour)
                with pytest.raises(error):
                    retrying(client, waits=(0, 0, 0)).send(operation, EVERY_FIELD[operation])
                assert fake.request_count == count


def test_an_invoice_that_was_throttled_first_is_still_not_repeated_after_an_unknown_outcome() -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        fake.will(throttled(0), ActsThenDrops())
        with pytest.raises(ConnectionDropped):
            retrying(client, waits=(0, 0, 0)).create_invoice(EVERY_FIELD[Operation.CREATE_INVOICE])
        assert (fake.request_count, len(fake.messages)) == (2, 1)


@pytest.mark.parametrize("code", ["Client", "DeserializationFailed"])
def test_a_refusal_goes_through_at_once(code: str) -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        fake.will(AnswersFault(code=code))
        started = time.monotonic()
        with pytest.raises(Refused):
            retrying(client, waits=(5,)).cancel_order(Cancellation(client_order_ref=1))
        assert (fake.request_count, time.monotonic() - started < 1) == (1, True)


def test_a_message_of_another_operation_goes_nowhere() -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        with pytest.raises(InvalidMessage):
            retrying(client, waits=(5,)).send(Operation.CREATE_INVOICE, UPDATE)
        assert fake.request_count == 0


def test_it_waits_as_long_as_norce_asks_for() -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        fake.will(throttled(1))
        started = time.monotonic()
        retrying(client, waits=(0,)).send_order_status(UPDATE)
        assert 1.0 <= time.monotonic() - started < 1.9
        assert fake.messages == [UPDATE]


def test_it_waits_its_own_time_where_norce_asks_for_less() -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        fake.will(throttled(0), html(503))
        started = time.monotonic()
        retrying(client, waits=(0.2, 0.4)).send_order_status(UPDATE)
        assert 0.6 <= time.monotonic() - started < 1.5


@pytest.mark.parametrize("waits", [(), (0.0,), (0.0, 0.0)])
def test_it_gives_up_after_its_waits_with_the_last_error(waits: tuple[float, ...]) -> None:
    with FakeConnect() as fake, ConnectClient(fake.url, auth=fake.basic_auth) as client:
        fake.will(*[throttled(0)] * len(waits), unauthorized())
        with pytest.raises(Unauthorized):
            retrying(client, waits=waits).acknowledge(1, "SO-1")
        assert fake.request_count == len(waits) + 1
