"""Posts orders to the ERP over HTTPS: one JSON document each, with a key that makes repeats harmless, and a signature.

The signature is an HMAC-SHA256 over timestamp, a dot and the body, so a receiver can refuse what is old or changed.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import time
from base64 import b64encode
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import unquote

import requests
import urllib3.exceptions

from connect_client import Timeouts, Tls
from connect_client.session import Connection, retry_after_seconds
from receiver.couriers.address import parts_of
from receiver.couriers.in_turn import in_turn, order_of, unreadable
from receiver.errors import ReceiverError
from receiver.orders.as_json import FORMAT, order_as_json
from receiver.outbox.message import Outcome, Verdict
from receiver.ports import Delivery

TIMEOUTS = Timeouts(connect=5.0, read=25.0)
_LARGEST_ANSWER = 64 * 1024
# The address, the credentials or the server are wrong, not the order.
_DOWN = frozenset({401, 403, 404, 405, 407, 408, 425, 429, 502, 503, 504})
_FOREIGN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class WebCourier:
    """Implements `ports.Courier`. A user and password in the URL become basic authentication.

    Raises ValueError for an address that nobody can call or that would send orders in the clear.
    """

    batch_size = 20

    def __init__(self, url: str, *, signing_secret: str | None, timeouts: Timeouts = TIMEOUTS) -> None:
        parts = parts_of(url)
        host = parts.hostname or ""
        if parts.scheme == "http" and not _is_loopback(host):
            raise ValueError("must be https://, for orders hold personal data; http:// only to this machine")
        self._authorization = _basic(parts.username, parts.password)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        if not _can_be_called(bare):
            raise ValueError("is no URL that can be called")
        self._secret = signing_secret.encode() if signing_secret else None
        # The client's connection bounds the whole of an answer, starts anew after a pause and reads no netrc.
        self._connection = Connection(bare, timeouts=timeouts, tls=Tls(), allow_plain_http=False)

    def deliver(self, deliveries: Sequence[Delivery], *, until: float) -> list[Verdict]:
        """Post one after the other."""
        return in_turn(deliveries, self._attempt, until=until)

    def close(self) -> None:
        """Close the kept connection."""
        self._connection.close()

    def _attempt(self, delivery: Delivery) -> Verdict:
        try:
            body = json.dumps(order_as_json(order_of(delivery).order()), ensure_ascii=False).encode()
        except ReceiverError as error:
            return unreadable(error)
        sent = io.BytesIO(body)
        try:
            with self._post(sent, self._headers(delivery, body)) as answer:
                verdict = _verdict(answer)
        except _FOREIGN as error:
            if sent.tell() == 0:
                return Verdict(Outcome.NOT_DELIVERED, f"no connection: {type(error).__name__}", is_down=True)
            return Verdict(Outcome.UNKNOWN, f"no answer: {type(error).__name__}", is_down=True)
        self._connection.was_used()
        return verdict

    def _post(self, sent: io.BytesIO, headers: dict[str, str]) -> requests.Response:
        return self._connection.session().post(
            self._connection.url,
            data=sent,
            headers=headers | self._authorization,
            timeout=self._connection.timeouts.as_pair(),
            allow_redirects=False,
            stream=True,
        )

    def _headers(self, delivery: Delivery, body: bytes) -> dict[str, str]:
        message = delivery.message
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"order-{message.message_id}",
            "X-Order-Format": FORMAT,
            "X-Order-Revision": str(message.revision),
            "X-Application-Key": str(message.application_key),
        }
        if self._secret is not None:
            timestamp = str(int(time.time()))
            digest = hmac.new(self._secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
            headers |= {"X-Signature-Timestamp": timestamp, "X-Signature": f"sha256={digest}"}
        return headers


def _verdict(answer: requests.Response) -> Verdict:
    status = answer.status_code
    if 200 <= status < 300:
        return Verdict(Outcome.DELIVERED, erp_order_no=_erp_order_no(answer))
    detail = f"HTTP {status}"
    asked = retry_after_seconds(answer)
    if status in _DOWN or 300 <= status < 400:
        return Verdict(Outcome.NOT_DELIVERED, detail, retry_after_seconds=asked, is_down=True)
    return Verdict(Outcome.UNKNOWN if status >= 500 else Outcome.REFUSED, detail, retry_after_seconds=asked)


def _erp_order_no(answer: requests.Response) -> str | None:
    """The number in a JSON answer such as {"erp_order_no": "SO-1"}; most ERPs answer with nothing."""
    content = b""
    try:
        for chunk in answer.iter_content(_LARGEST_ANSWER):
            content += chunk
            if len(content) > _LARGEST_ANSWER:
                return None
        document = json.loads(content or b"null")
    except (*_FOREIGN, RecursionError):
        # It said that it took the order; what else it says, or fails to say, does not change that.
        return None
    number = document.get("erp_order_no") if isinstance(document, dict) else None
    return number if isinstance(number, str) else None


def _basic(username: str | None, password: str | None) -> dict[str, str]:
    if username is None and password is None:
        return {}
    both = f"{unquote(username or '')}:{unquote(password or '')}"
    return {"Authorization": f"Basic {b64encode(both.encode()).decode()}"}


def _can_be_called(url: str) -> bool:
    try:
        requests.Request("POST", url).prepare()
    except _FOREIGN:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
