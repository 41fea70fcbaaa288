"""What the decoder says of orders that are not as the contract has them, and of nil, empty and misplaced members."""

from __future__ import annotations

import pytest
from lxml import etree

from receiver.soap.decode import OrderDecoder
from tests.test_wsdl import CONTRACT, table_rows

PROMOTION = "Enferno.Services.Contracts.StormConnect.Order"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"

DECODER = OrderDecoder()


def request(inside: str) -> etree._Element:
    namespaces = f'xmlns:o="{CONTRACT}" xmlns:p="{PROMOTION}" xmlns:xsi="{INSTANCE}"'
    return etree.fromstring(f"<o:request {namespaces}>{inside}</o:request>")


def problems(inside: str) -> list[str]:
    _, findings = DECODER.decode(request(inside))
    return [str(problem) for problem in findings.problems]


def test_members_in_and_out_of_order_make_equal_orders() -> None:
    numeric = {"int", "boolean", "OrderTypes"}
    elements = [
        f"<o:{row.member}>{'1' if row.member_type in numeric else ''}</o:{row.member}>"
        for row in table_rows()
        if row.type == "OrderRequest" and row.member_type != "dateTime"
    ]
    forward, _ = DECODER.decode(request("".join(elements)))
    backward, _ = DECODER.decode(request("".join(reversed(elements))))
    assert forward == backward
    assert forward.refer_id == 1


def test_nil_is_none_and_empty_is_empty() -> None:
    order, _ = DECODER.decode(request('<o:Source/><o:DiscountCode xsi:nil="1"/><o:Fees/><o:Payments xsi:nil="true"/>'))
    assert (order.source, order.discount_code, order.fees, order.payments) == ("", None, (), None)


def test_a_promotion_in_the_contracts_own_namespace_is_unknown() -> None:
    promotion = "<o:Promotion><o:Id>17</o:Id><p:Name>Sale</p:Name></o:Promotion>"
    items = f"<o:Items><o:OrderItem><o:Promotions>{promotion}</o:Promotions></o:OrderItem></o:Items>"
    order, findings = DECODER.decode(request(items))
    (line,) = order.lines or ()
    (decoded,) = line.promotions or ()
    assert (decoded.id, decoded.name, len(findings.unknown)) == (None, "Sale", 1)


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<o:DoHold>True</o:DoHold>", "DoHold: 'True' is not true or false"),
        ("<o:ReferId>2147483648</o:ReferId>", "ReferId: the value (10 characters) is outside -2147483648..2147483647"),
        ("<o:ReferId>1<o:b/></o:ReferId>", "ReferId: '1' has members where text is expected"),
        ("<o:Source>a<o:b/>c</o:Source>", "Source: has members where text is expected"),
        ("<o:Source>a</o:Source><o:Source>b</o:Source>", "Source: is there twice"),
        ("<o:Fees>5</o:Fees>", "Fees: has text where Fee is expected"),
        ("<o:Header>x</o:Header>", "Header: has text where members are expected"),
        ("<o:Fees><o:Fee xsi:nil='true'/></o:Fees>", "Fees/Fee[1]: is nil; a list holds no empty entries"),
        (
            "<o:SellTo><o:Company><o:IsActive>Åsa</o:IsActive></o:Company></o:SellTo>",
            "SellTo/Company/IsActive: the value (3 characters) is not true or false",
        ),
    ],
)
def test_a_problem_names_its_place_and_hides_what_is_personal(inside: str, expected: str) -> None:
    assert problems(inside) == [expected]
