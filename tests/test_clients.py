"""Clients that nobody here wrote store orders: zeep, node-soap and PHP's SoapClient, each from the served WSDL."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from requests.auth import HTTPBasicAuth

from receiver.storage import tables
from tests.databases import rows_of
from tests.peers import need_node_soap, need_php
from tests.servers import PASSWORD, SERVICE, USERNAME, RunningReceiver

ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap/}address"
ORDER: dict[str, Any] = {
    "SellTo": {"Person": {"CustomerCode": "C-1", "FirstName": "Åsa"}},
    "DoHold": False,
    "ClientOrderRef": "9001",
    "SubmitDate": "2026-11-23T10:11:12.1234567+01:00",
    "CurrencyCode": "SEK",
    "Payments": {"Payment": [{"PaymentCode": 7, "Amount": "499.50", "CurrencyCode": "SEK"}]},
    "Items": {
        "OrderItem": [
            {"LineNo": 1, "PartNo": "A & B", "Quantity": 4, "UnitPrice": "99.9000", "UnitVat": "24.9750"},
            {"LineNo": 2, "PartNo": "C", "Quantity": 1, "UnitPrice": "0", "Quantity2": "0.75"},
        ]
    },
    "Header": {"ApplicationKey": "15d62d1f-3a4e-4111-845a-4db40bf08e87"},
    "OrderType": "Order",
}
# node-soap and PHP read how to call from the arguments and print what they heard as JSON.
NODE = """
const soap = require("soap"), [wsdl, url, user, password, order] = process.argv.slice(1);
soap.createClientAsync(wsdl, { endpoint: url }).then(async (client) => {
  client.setSecurity(new soap.BasicAuthSecurity(user, password));
  const [answer] = await client.CreateOrderAsync({ request: JSON.parse(order) });
  console.log(JSON.stringify(answer.CreateOrderResult));
}).catch((error) => { console.error(error.message); process.exit(1); });
"""
PHP = """
[, $wsdl, $url, $user, $password, $order] = $argv;
$client = new SoapClient($wsdl, ["location" => $url, "login" => $user, "password" => $password, "cache_wsdl" => 0]);
echo json_encode($client->CreateOrder(["request" => json_decode($order)])->CreateOrderResult);
"""


def test_zeep_stores_an_order_and_reads_the_acknowledgement(receiver: RunningReceiver) -> None:
    session = requests.Session()
    session.trust_env = False
    session.auth = HTTPBasicAuth(USERNAME.encode(), PASSWORD.encode())
    transport = zeep.Transport(session=session)  # type: ignore[no-untyped-call]
    client = zeep.Client(f"{receiver.url}?singleWsdl", transport=transport)  # type: ignore[no-untyped-call]
    answer = client.service.CreateOrder(request=ORDER)
    assert (answer.StatusCode, answer.Description, answer.HasErpOrderNo, answer.ErpOrderNo) == ("OK", None, False, None)
    assert_stored(receiver)


def test_node_soap_stores_an_order_and_reads_the_acknowledgement(receiver: RunningReceiver, tmp_path: Path) -> None:
    environment = need_node_soap()
    answer = heard(["node", "-e", NODE, *call_of(receiver, tmp_path)], environment)
    assert (answer["StatusCode"], answer["HasErpOrderNo"]) == ("OK", False)
    assert_stored(receiver)


def test_php_stores_an_order_and_reads_the_acknowledgement(receiver: RunningReceiver, tmp_path: Path) -> None:
    answer = heard([need_php(), "-r", PHP, "--", *call_of(receiver, tmp_path)], None)
    assert (answer["StatusCode"], answer["HasErpOrderNo"]) == ("OK", False)
    assert_stored(receiver)


@pytest.mark.parametrize("query", ["wsdl", "singleWsdl", "WSDL"])
@pytest.mark.parametrize("host", ["evil.example", "localhost:1"])
def test_the_served_wsdl_names_the_configured_address_whatever_host_is_asked_for(
    query: str, host: str, receiver: RunningReceiver
) -> None:
    answer = receiver.send(f"GET {SERVICE}?{query} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    addresses = [element.get("location") for element in etree.fromstring(answer.body).iter(ADDRESS)]
    assert addresses == [receiver.url]


def call_of(receiver: RunningReceiver, folder: Path) -> list[str]:
    """Arguments for a client: a file with the served WSDL, the address, the credentials and the order."""
    served = folder / "served.wsdl"
    served.write_bytes(receiver.send(f"GET {SERVICE}?wsdl HTTP/1.1\r\nHost: x\r\n\r\n".encode()).body)
    return [str(served), receiver.url, USERNAME, PASSWORD, json.dumps(ORDER)]


def heard(command: list[str], environment: dict[str, str] | None) -> dict[str, Any]:
    """The answer that a client printed."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def assert_stored(receiver: RunningReceiver) -> None:
    (order,) = rows_of(receiver.database_url, tables.orders)
    assert (order["client_order_ref"], order["order_type"], order["buyer_code"]) == ("9001", "Order", "C-1")
    assert (order["lines_total"], order["paid_total"]) == (Decimal("399.6000"), Decimal("499.50"))
    assert order["submitted_at"].isoformat() == "2026-11-23T09:11:12.123456+00:00"
    lines = rows_of(receiver.database_url, tables.order_lines)
    assert [line["part_no"] for line in lines] == ["A & B", "C"]
    assert [line["quantity"] for line in lines] == [Decimal(4), Decimal("0.75")]
