"""Small CreateOrder envelopes, written in the way a WCF client writes them."""

from __future__ import annotations

from tests.test_wsdl import CONTRACT, NS

INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"


def line_xml(line_no: int, *, quantity: int = 2, unit_price: str = "99.9000") -> str:
    """One order line."""
    return (
        f"<OrderItem><LineNo>{line_no}</LineNo><PartNo>P-{line_no}</PartNo><Quantity>{quantity}</Quantity>"
        f"<UnitPrice>{unit_price}</UnitPrice><UnitVat>24.9750</UnitVat></OrderItem>"
    )


def order_xml(ref: str, *, lines: int = 2, unit_price: str = "99.9000", comment: str = "Åsa 19800101-1234") -> bytes:
    """An order with the given reference."""
    items = "".join(line_xml(number, unit_price=unit_price) for number in range(1, lines + 1))
    return create_order(
        f"<ClientOrderRef>{ref}</ClientOrderRef><CustomerOrderComment>{comment}</CustomerOrderComment>"
        f"<CurrencyCode>SEK</CurrencyCode><Items>{items}</Items>"
    )


def create_order(members: str) -> bytes:
    """The envelope around the members of `request`, in WCF's byte shape (wire format, 2.2)."""
    return (
        f'<s:Envelope xmlns:s="{NS["s"]}"><s:Body><CreateOrder xmlns="{CONTRACT}">'
        f'<request xmlns:i="{INSTANCE}">{members}</request></CreateOrder></s:Body></s:Envelope>'
    ).encode()


def other_writing(ref: str, *, lines: int = 2) -> bytes:
    """What `order_xml(ref, lines=lines)` says, in another client's prefixes, white space and order of members."""
    items = "".join(
        f"""
        <o:OrderItem>
          <o:UnitVat> 24.9750 </o:UnitVat><o:UnitPrice>99.9000</o:UnitPrice>
          <o:Quantity>+2</o:Quantity><o:PartNo>P-{number}</o:PartNo><o:LineNo>0{number}</o:LineNo>
          <o:Comment xsi:nil="1"/>
        </o:OrderItem>"""
        for number in range(1, lines + 1)
    )
    return f"""<?xml version='1.0' encoding='utf-8'?>
<soap-env:Envelope xmlns:soap-env="{NS["s"]}" xmlns:o="{CONTRACT}" xmlns:xsi="{INSTANCE}">
  <soap-env:Header/>
  <soap-env:Body>
    <o:CreateOrder>
      <o:request>
        <o:Items>{items}
        </o:Items>
        <o:CurrencyCode><![CDATA[SEK]]></o:CurrencyCode>
        <o:CustomerOrderComment>&#197;sa<!-- none --> 19800101-1234</o:CustomerOrderComment>
        <o:ClientOrderRef>{ref}</o:ClientOrderRef>
      </o:request>
    </o:CreateOrder>
  </soap-env:Body>
</soap-env:Envelope>
""".encode()
