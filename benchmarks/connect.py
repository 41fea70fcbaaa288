"""What a report costs the ERP adapter: the client beside `requests` posting the same ready-made bytes.

Both post to the same local server over one kept connection each, in turns, and processor time of this process is
counted, not the server's. Prints ratios; see docs/performance.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection

import requests

from connect_client import BasicAuth, ConnectClient, Invoice, InvoiceLine, Operation, OrderStatus, OrderStatusUpdate
from connect_client.calls import load_calls

NOW = datetime.now(UTC)
CALLS_A_TURN = 200
CREDENTIALS = ("1042", "secret")


def status() -> OrderStatusUpdate:
    """The commonest report."""
    return OrderStatusUpdate(
        client_order_ref=123456, erp_order_no="SO-1", status=OrderStatus.DELIVERED, infos={"Carrier": "PostNord"}
    )


def invoice() -> Invoice:
    """An invoice of 100 lines."""
    lines = tuple(
        InvoiceLine(
            line_no=Decimal(number),
            part_no=f"P-{number}",
            description="Tröja, blå",
            quantity=2,
            unit_price=Decimal("99.90"),
            unit_vat=Decimal("24.975"),
            vat_rate=Decimal(25),
        )
        for number in range(1, 101)
    )
    return Invoice(
        invoice_no="F-1",
        client_order_ref=123456,
        erp_order_no="SO-1",
        currency_code="SEK",
        invoice_date=NOW,
        delivery_date=NOW,
        invoice_due_date=NOW,
        lines=lines,
        vat=Decimal("4995.00"),
        is_last_for_order=True,
    )


def serve(port: Connection, answers: dict[str, bytes]) -> None:
    """Answer each action with its success; in a process of its own, so that only the caller's work is counted."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = answers[self.headers["SOAPAction"].strip('"')]
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_port)
    server.serve_forever()


def answer(tag: str) -> bytes:
    """The empty wrapper of a success."""
    namespace, _, name = tag.removeprefix("{").partition("}")
    envelope = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
    return envelope.format(f'<{name} xmlns="{namespace}"/>').encode()


def cost(call: Callable[[], object]) -> float:
    """Milliseconds of processor time of one call."""
    before = time.process_time()
    for _ in range(CALLS_A_TURN):
        call()
    return (time.process_time() - before) / CALLS_A_TURN * 1000


def compare(calls: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """Measure in turns, so that what else the machine does falls on all alike; the medians."""
    for call in calls.values():
        cost(call)
    rounds = [{name: cost(call) for name, call in calls.items()} for _ in range(turns)]
    return {name: statistics.median(each[name] for each in rounds) for name in calls}


def seconds_of(script: str) -> float:
    """Processor time that a script reports of itself, in a fresh interpreter; the middle of five."""
    command = [sys.executable, "-c", script]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(5)]
    return statistics.median(map(float, runs))


def measure(client: ConnectClient, url: str, operation: Operation, make: Callable[[], object], turns: int) -> None:
    """Print what one operation costs beside its bytes posted as they are."""
    call = load_calls()[operation]
    message = make()
    body = call.encode(message)
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{call.action}"'}
    with requests.Session() as session:
        session.trust_env = False
        found = compare(
            {
                "requests": lambda: (
                    session.post(url, data=body, headers=headers, auth=CREDENTIALS, timeout=(10, 60)).content
                ),
                "send": lambda: client.send(operation, message),
                "make and send": lambda: client.send(operation, make()),
            },
            turns,
        )
    plain = found.pop("requests")
    print(f"{operation.wire_name}, {len(body):,} bytes; requests.post: {plain:.3f} ms")
    for name, milliseconds in found.items():
        print(f"  {name:<16}{milliseconds:.3f} ms{milliseconds / plain:>8.2f} x")


START = "import time; start = time.process_time(); import connect_client; print(time.process_time() - start)"
LOAD = """
import time, connect_client
from connect_client.calls import load_calls
start = time.process_time()
load_calls()
print(time.process_time() - start)
"""


def main() -> None:
    """Run and print everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9, help="how often each is measured (default 9)")
    turns = parser.parse_args().turns
    answers = {call.action: answer(call.answer) for call in load_calls().values()}
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs, answers), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/OrderService.svc"
    print("processor time of one call (goals: 2.5 x for a status, 3 x for an invoice of 100 lines)\n")
    with ConnectClient(url, auth=BasicAuth(*CREDENTIALS)) as client:
        measure(client, url, Operation.SEND_ORDER_STATUS, status, turns)
        measure(client, url, Operation.CREATE_INVOICE, invoice, turns)
    server.terminate()
    print(f"\nimport connect_client    {seconds_of(START):.3f} s (goal 0.3)")
    print(f"reading the WSDL, once   {seconds_of(LOAD):.3f} s (goal 0.3)")


if __name__ == "__main__":
    main()
