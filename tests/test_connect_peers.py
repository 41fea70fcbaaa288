"""Services that nobody here wrote receive every value: PHP's SoapServer and node-soap, each fed the shipped WSDL."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connect_client import BasicAuth, ConnectClient, DeliveryNote, Operation, OrderStatus, OrderStatusUpdate, Refused
from connect_client.contract import Service, wsdl_bytes
from connect_client.wire_names import wire_name
from tests.connect_messages import EVERY_FIELD
from tests.peers import need_node_soap, need_php

# Both write what they were called with as JSON into a file named after the operation, and refuse when told to.
PHP = """<?php
class Service {
  public function __call($name, $arguments) {
    if (file_exists(getenv("FOLDER") . "/refuse")) throw new SoapFault("Client", "Nej");
    file_put_contents(getenv("FOLDER") . "/$name.json", json_encode($arguments[0], JSON_THROW_ON_ERROR));
    return new stdClass();
  }
}
$options = ["cache_wsdl" => WSDL_CACHE_NONE, "features" => SOAP_SINGLE_ELEMENT_ARRAYS];
$server = new SoapServer(getenv("FOLDER") . "/service.wsdl", $options);
$server->setObject(new Service());
$server->handle();
"""
NODE = """
const soap = require("soap"), fs = require("fs"), http = require("http");
const [folder, port, ...names] = process.argv.slice(1), port_type = {};
for (const name of names) port_type[name] = (given) => {
  if (fs.existsSync(folder + "/refuse")) throw { Fault: { faultcode: "s:Client", faultstring: "Nej" } };
  fs.writeFileSync(`${folder}/${name}.json`, JSON.stringify(given));
  return {};
};
const server = http.createServer((request, response) => response.end());
server.listen(Number(port), "127.0.0.1");
const wsdl = fs.readFileSync(folder + "/service.wsdl", "utf8");
const services = { OrderService: { BasicHttpBinding_OrderService: port_type } };
soap.listen(server, { path: "/OrderService.svc", services, xml: wsdl });
"""


@dataclasses.dataclass
class Peer:
    """A running service, its client, and the folder it writes into; `trims` if it trims texts."""

    client: ConnectClient
    folder: Path
    trims: bool


@pytest.fixture(scope="module", params=["php", "node"])
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """A service that reads the shipped WSDL."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "service.wsdl").write_bytes(wsdl_bytes(Service.ORDER))
    (folder / "service.php").write_text(PHP)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    if request.param == "php":
        environment = os.environ | {"FOLDER": str(folder)}
        command = [need_php(), "-S", f"127.0.0.1:{port}", str(folder / "service.php")]
    else:
        environment = need_node_soap()
        command = ["node", "-e", NODE, str(folder), str(port), *(each.wire_name for each in Operation)]
    with running(command, environment, port):
        url = f"http://127.0.0.1:{port}/OrderService.svc"
        with ConnectClient(url, auth=BasicAuth("1042", "x")) as client:
            yield Peer(client, folder, trims=request.param == "node")


@contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    """A process that listens, until the end of the block."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet) as process:
        try:
            wait_for(port, process)
            yield
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("the peer did not start")


@pytest.mark.parametrize("operation", Operation)
def test_a_foreign_service_receives_every_value(operation: Operation, peer: Peer) -> None:
    message = EVERY_FIELD[operation]
    peer.client.send(operation, message)
    heard = json.loads((peer.folder / f"{operation.wire_name}.json").read_bytes(), parse_float=Decimal)
    (parameter,) = heard.values()
    assert list(differences(message, parameter, path=operation.wire_name, trims=peer.trims)) == []


def test_a_fault_of_a_foreign_service_is_a_refusal(peer: Peer) -> None:
    (peer.folder / "refuse").touch()
    try:
        with pytest.raises(Refused) as caught:
            peer.client.acknowledge(1, "SO-1")
    finally:
        (peer.folder / "refuse").unlink()
    assert caught.value.fault is not None
    assert (caught.value.fault.code, caught.value.fault.text) == ("Client", "Nej")


def test_a_difference_is_found_wherever_it_is() -> None:
    """The comparison itself: each change to what was heard is found."""
    update = OrderStatusUpdate(client_order_ref=7, status=OrderStatus.DELIVERED, infos={"A": "b", "C": None})
    infos = {"OrderInfo": [{"Code": "A", "Value": "b"}, {"Code": "C"}]}
    heard: dict[str, Any] = {"ClientOrderRef": 7, "OrderStatus": "Delivered", "Infos": infos}
    assert list(differences(update, heard, path="", trims=False)) == []
    changes: list[dict[str, Any]] = [{"ClientOrderRef": 8}, {"OrderStatus": "Created"}, {"AccountId": 1}]
    changes += [{"Infos": {"OrderInfo": []}}, {"Infos": {"OrderInfo": infos["OrderInfo"][::-1]}}, {"Infos": None}]
    for change in changes:
        assert list(differences(update, heard | change, path="", trims=False))


def differences(sent: Any, heard: Any, *, path: str, trims: bool) -> Iterator[str]:
    """Paths of what a peer heard otherwise than it was sent, down to the last value."""
    if dataclasses.is_dataclass(sent):
        yield from member_differences(sent, heard, path, trims=trims)
    elif isinstance(sent, tuple | dict):
        items = list(sent.items()) if isinstance(sent, dict) else list(sent)
        lists = list(heard.values()) if isinstance(heard, dict) else []
        if len(lists) != 1 or len(lists[0]) != len(items):
            yield f"{path}: {heard!r}"
            return
        for number, (one, other) in enumerate(zip(items, lists[0], strict=True)):
            if isinstance(sent, dict):
                pair = [value for value in one if value is not None]
                if [str(value) for value in pair] != list(other.values()):
                    yield f"{path}[{number}]: {other!r}"
            else:
                yield from differences(one, other, path=f"{path}[{number}]", trims=trims)
    elif not is_same(sent, heard, trims=trims):
        yield f"{path}: {heard!r}"


def member_differences(sent: Any, heard: dict[str, Any], path: str, *, trims: bool) -> Iterator[str]:
    """Differences of a message; members that nobody sent are differences too."""
    fields = {field.name: getattr(sent, field.name) for field in dataclasses.fields(sent)}
    wanted = {wire_name(type(sent), name): value for name, value in fields.items() if value is not None and value != ()}
    if isinstance(sent, DeliveryNote):
        wanted["StatusId"] = sent.status.number
    yield from (f"{path}.{name}" for name in wanted.keys() ^ heard.keys())
    for name in wanted.keys() & heard.keys():
        yield from differences(wanted[name], heard[name], path=f"{path}.{name}", trims=trims)


def is_same(sent: Any, heard: Any, *, trims: bool) -> bool:
    """Whether a single value arrived; JSON has no decimals and no moments, so those come as texts or numbers."""
    if isinstance(heard, bool) or isinstance(sent, bool):
        return sent is heard
    if isinstance(sent, Decimal | int):
        return Decimal(heard) == sent
    if isinstance(sent, datetime):
        return datetime.fromisoformat(heard) == sent
    text = str(sent)
    return bool(heard == (text.strip() if trims else text))
