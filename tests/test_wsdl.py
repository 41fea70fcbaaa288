"""The shipped WSDL documents say what the contract says, and strict and lenient SOAP clients can load them.

`contract/members.tsv` is the authority: when a document and the table differ, the document is wrong.
"""

import csv
import io
import json
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zeep
from lxml import etree

from connect_client.contract import wsdl_bytes
from tests.peers import need_node_soap, need_php

CONTRACT = "Enferno.Services.StormConnect.Contracts.Order"
SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"
NS = {
    "wsdl": "http://schemas.xmlsoap.org/wsdl/",
    "soap": "http://schemas.xmlsoap.org/wsdl/soap/",
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "ser": SERIALIZATION,
}
FOLDER = Path(__file__).parent / "contract"
OPERATIONS = {
    "OrderNotificationService": {"CreateOrder": ("request", "OrderRequest")},
    "OrderService": {
        "CreateInvoice": ("request", "Invoice"),
        "CreateDeliveryNote": ("deliveryNote", "DeliveryNote"),
        "CancelOrder": ("cancelOrderRequest", "CancelOrderRequest"),
        "SendOrderStatus": ("statusRequest", "SendOrderStatusRequest"),
        "CreditPayment": ("credit", "Invoice"),
        "SendPosShipment": ("shipment", "Shipment"),
        "CreateWarehouseTransaction": ("warehouseTransaction", "WarehouseTransaction"),
        "CreateExternalOrder": ("request", "ExternalOrder"),
    },
}
RESULTS = {"CreateOrder": "OrderResponse"}
every_service = pytest.mark.parametrize("name", list(OPERATIONS))


class Row(NamedTuple):
    """A row of the table; a type without members has one row at position 0."""

    namespace: str
    type: str
    base: str
    position: str
    member: str = ""
    member_type: str = ""
    nillable_or_enum_value: str = ""
    occurs: str = ""


@cache
def table_rows() -> tuple[Row, ...]:
    with (FOLDER / "members.tsv").open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert tuple(heading) == Row._fields
    return tuple(Row(*row) for row in rows)


def differences(table: Iterable[Row], document: Iterable[Row]) -> list[str]:
    """Rows that only one side has; an empty list means that both say the same."""
    expected, found = set(table), set(document)
    return sorted(
        [f"not in the WSDL: {row}" for row in expected - found]
        + [f"not in the table: {row}" for row in found - expected]
    )


def reachable(table: Iterable[Row], name: str) -> list[Row]:
    """The part of the table that the operations of one service can put on the wire."""
    rows_of: dict[str, list[Row]] = {}
    for row in table:
        rows_of.setdefault(row.type, []).append(row)
    waiting = [kind for word, (_, kind) in OPERATIONS[name].items() for kind in (kind, RESULTS.get(word, ""))]
    seen: dict[str, list[Row]] = {}
    while waiting:
        kind = waiting.pop()
        if kind in rows_of and kind not in seen:
            seen[kind] = rows_of[kind]
            waiting += [needed for row in rows_of[kind] for needed in (row.base, row.member_type)]
    return [row for rows in seen.values() for row in rows]


def parse(name: str) -> etree._Element:
    return etree.fromstring(wsdl_bytes(name), etree.XMLParser(resolve_entities=False, no_network=True))


def schemas(root: etree._Element) -> list[etree._Element]:
    return root.findall("wsdl:types/xs:schema", NS)


def document_rows(name: str) -> Iterator[Row]:
    """The named types of one document as rows of the table, apart from guid."""
    for schema in schemas(parse(name)):
        namespace = schema.get("targetNamespace", "")
        for kind in schema.findall("xs:complexType", NS):
            yield from class_rows(namespace, kind)
        for kind in schema.findall("xs:simpleType", NS):
            yield from enum_rows(namespace, kind)


def class_rows(namespace: str, kind: etree._Element) -> Iterator[Row]:
    extension = kind.find("xs:complexContent/xs:extension", NS)
    base = "" if extension is None else type_word(extension, "base")
    members = (kind if extension is None else extension).findall("xs:sequence/xs:element", NS)
    if not members:
        yield Row(namespace, kind.get("name", ""), base, "0")
    for position, member in enumerate(members, start=1):
        nillable = "nillable" if member.get("nillable") == "true" else ""
        details = (member.get("name", ""), type_word(member, "type"), nillable, occurs_word(member))
        yield Row(namespace, kind.get("name", ""), base, str(position), *details)


def enum_rows(namespace: str, kind: etree._Element) -> Iterator[Row]:
    """.NET writes a member's number down only where the numbers do not simply count from 0."""
    for position, value in enumerate(kind.findall("xs:restriction/xs:enumeration", NS), start=1):
        number = value.findtext("xs:annotation/xs:appinfo/ser:EnumerationValue", str(position - 1), NS)
        yield Row(namespace, kind.get("name", ""), "", str(position), value.get("value", ""), "enum", number)


def type_word(element: etree._Element, attribute: str) -> str:
    """A type the way the table names it: local, but in full when its namespace is not the expected one."""
    prefix, _, local = element.get(attribute, "").partition(":")
    namespace = element.nsmap[prefix]
    homes = {row.type: row.namespace for row in table_rows()} | {"guid": SERIALIZATION}
    return local if namespace == homes.get(local, NS["xs"]) else f"{{{namespace}}}{local}"


def occurs_word(element: etree._Element) -> str:
    least, most = element.get("minOccurs", "1"), element.get("maxOccurs", "1")
    return {("0", "1"): "", ("0", "unbounded"): "unbounded"}.get((least, most), f"{least}..{most}")


@every_service
def test_every_member_of_the_table_is_in_the_wsdl_in_wire_order(name: str) -> None:
    assert differences(reachable(table_rows(), name), document_rows(name)) == []


def test_every_type_of_the_table_is_in_one_of_the_documents() -> None:
    both = [row for name in OPERATIONS for row in document_rows(name)]
    assert differences(table_rows(), both) == []


@pytest.mark.parametrize("changed", ["position", "base", "member_type", "nillable_or_enum_value", "occurs"])
def test_the_comparison_reports_a_changed_row_of_the_table(changed: str) -> None:
    table = reachable(table_rows(), "OrderService")
    victim = next(row for row in table if (row.type, row.member) == ("Invoice", "ClientOrderRef"))
    table[table.index(victim)] = victim._replace(**{changed: "changed"})
    assert len(differences(table, document_rows("OrderService"))) == 2


def test_the_comparison_reports_a_missing_and_a_surplus_member() -> None:
    table = reachable(table_rows(), "OrderService")
    table[0] = Row(CONTRACT, "NotInTheDocument", "", "0")
    assert len(differences(table, document_rows("OrderService"))) == 2


@every_service
def test_schemas_are_qualified_and_import_each_other_without_a_location(name: str) -> None:
    root = parse(name)
    namespaces = [schema.get("targetNamespace", "") for schema in schemas(root)]
    assert len(namespaces) == len(set(namespaces))
    assert {schema.get("elementFormDefault") for schema in schemas(root)} == {"qualified"}
    imports = [dict(entry.attrib) for entry in root.iterfind(".//xs:import", NS)]
    assert imports == [{"namespace": namespace} for namespace in namespaces if namespace != CONTRACT]


@every_service
def test_the_serialization_schema_holds_guid_and_nothing_else(name: str) -> None:
    ((guid,),) = (one for one in schemas(parse(name)) if one.get("targetNamespace") == SERIALIZATION)
    assert guid.get("name") == "guid"
    assert guid.xpath(".//xs:pattern/@value", namespaces=NS) == [
        r"[\da-fA-F]{8}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{12}"
    ]


@every_service
def test_every_wrapper_has_the_parameter_name_of_the_contract(name: str) -> None:
    found = {}
    for element in parse(name).findall("wsdl:types/xs:schema/xs:element", NS):
        children = element.findall("xs:complexType/xs:sequence/xs:element", NS)
        assert all((child.get("nillable"), occurs_word(child)) == ("true", "") for child in children)
        found[element.get("name")] = [(child.get("name"), type_word(child, "type")) for child in children]
    expected = {}
    for word, parameter_and_type in OPERATIONS[name].items():
        expected[word] = [parameter_and_type]
        expected[f"{word}Response"] = [(f"{word}Result", RESULTS[word])] if word in RESULTS else []
    assert found == expected


@every_service
def test_names_and_soap_actions_are_those_of_basic_http_binding(name: str) -> None:
    root = parse(name)
    words = list(OPERATIONS[name])
    wrappers = [f"tns:{word}{end}" for word in words for end in ("", "Response")]
    messages = [f"{name}_{word}_{end}Message" for word in words for end in ("Input", "Output")]
    actions = [f"{CONTRACT}/{name}/{word}" for word in words]
    for path, expected in {
        "@name": [name],
        "@targetNamespace": [CONTRACT],
        "wsdl:message/@name": messages,
        "wsdl:message/wsdl:part[@name='parameters']/@element": wrappers,
        "wsdl:portType/@name": [name],
        "wsdl:portType/wsdl:operation/@name": words,
        "wsdl:portType/wsdl:operation/*/@message": [f"tns:{message}" for message in messages],
        "wsdl:binding/@name": [f"BasicHttpBinding_{name}"],
        "wsdl:binding/wsdl:operation/@name": words,
        "wsdl:binding/wsdl:operation/soap:operation/@soapAction": actions,
        "wsdl:service/@name": [name],
        "wsdl:service/wsdl:port/@name": [f"BasicHttpBinding_{name}"],
    }.items():
        assert root.xpath(path, namespaces=NS) == expected, path


@every_service
def test_no_addressing_action_makes_a_client_add_headers(name: str) -> None:
    assert b"addressing" not in wsdl_bytes(name)


@every_service
def test_zeep_loads_the_document_in_its_strictest_setting(name: str) -> None:
    settings = zeep.Settings(strict=True, forbid_dtd=True, forbid_external=True)
    client = zeep.Client(io.BytesIO(wsdl_bytes(name)), settings=settings)  # type: ignore[no-untyped-call]
    operations = client.wsdl.services[name].ports[f"BasicHttpBinding_{name}"].binding.all()
    assert {word: operation.input.signature() for word, operation in operations.items()} == {
        word: f"{parameter}: ns0:{kind}" for word, (parameter, kind) in OPERATIONS[name].items()
    }


@every_service
def test_node_soap_loads_the_document(name: str, tmp_path: Path) -> None:
    script = """require("soap").createClientAsync(process.argv[1])
        .then(client => console.log(JSON.stringify(client.describe())))"""
    described = run_peer(["node", "-e", script], name, tmp_path, env=need_node_soap())
    operations = described[name][f"BasicHttpBinding_{name}"]
    assert {word: list(operation["input"]) for word, operation in operations.items()} == {
        word: [parameter] for word, (parameter, _) in OPERATIONS[name].items()
    }


@every_service
def test_php_loads_the_document(name: str, tmp_path: Path) -> None:
    script = "echo json_encode((new SoapClient($argv[1], ['cache_wsdl' => WSDL_CACHE_NONE]))->__getFunctions());"
    functions = run_peer([need_php(), "-r", script], name, tmp_path)
    assert functions == [f"{word}Response {word}({word} $parameters)" for word in OPERATIONS[name]]


def run_peer(command: list[str], name: str, folder: Path, env: dict[str, str] | None = None) -> Any:
    """What a foreign client prints about one document; pytest shows it when the comparison fails."""
    document = folder / f"{name}.wsdl"
    document.write_bytes(wsdl_bytes(name))
    done = subprocess.run([*command, str(document)], check=False, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return json.loads(done.stdout)


@pytest.mark.parametrize("capture", sorted(FOLDER.glob("wire/*.http")), ids=lambda path: path.stem)
def test_every_captured_call_is_valid_against_the_schemas(capture: Path, tmp_path: Path) -> None:
    xml_schema("OrderService", tmp_path).assertValid(captured_call(capture))


def test_a_captured_call_with_two_members_swapped_is_invalid(tmp_path: Path) -> None:
    call = captured_call(FOLDER / "wire" / "CancelOrder.http")
    call[0].insert(0, call[0][1])
    assert not xml_schema("OrderService", tmp_path).validate(call)


def captured_call(capture: Path) -> etree._Element:
    """The wrapper element inside the SOAP body of a captured HTTP request."""
    _, _, body = capture.read_bytes().partition(b"\r\n\r\n")
    (call,) = etree.fromstring(body).iterfind("s:Body/*", NS)
    return call


def xml_schema(name: str, folder: Path) -> etree.XMLSchema:
    """The inline schemas as one validator: libxml2 wants a file and a location for each import."""
    inline = schemas(parse(name))
    files = {schema.get("targetNamespace", ""): f"{number}.xsd" for number, schema in enumerate(inline)}
    for schema in inline:
        for entry in schema.findall("xs:import", NS):
            entry.set("schemaLocation", files[entry.get("namespace", "")])
        (folder / files[schema.get("targetNamespace", "")]).write_bytes(etree.tostring(schema))
    return etree.XMLSchema(file=str(folder / files[CONTRACT]))
