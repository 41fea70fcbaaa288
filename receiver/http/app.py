"""The WSGI application: routes, and the one place where what went wrong becomes an answer.

A SOAP caller always gets an answer it can read: HTTP 500 with a fault, never a traceback. What an authenticated
caller sent is kept before it hears that it was refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from receiver import logs
from receiver.errors import RequestRefused, TryAgainLater
from receiver.flows.keep_refusal import keep_refusal
from receiver.http import gate
from receiver.http.answers import Answer, plain, soap
from receiver.http.arrival import arrival
from receiver.http.auth import Gatekeeper, unauthorized
from receiver.http.body import BodyIncomplete, read_body
from receiver.http.deadline import BodyDeadline
from receiver.http.doors.app import REQUEST_ID_KEY
from receiver.http.turnstile import Turnstile
from receiver.ports import Receipt, Units
from receiver.soap.cleaning import clean
from receiver.soap.faults import fault_envelope
from receiver.soap.protocol import ENVELOPE_KEY
from receiver.soap.service import RECEIPT_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SERVICE_PATH = "/ordernotificationservice.svc"
"""In lower case: IIS, where this contract comes from, does not tell cases apart in paths."""

_METHODS = "GET, HEAD, POST"
_ERROR = "500 Internal Server Error"


@dataclass(frozen=True, slots=True)
class ReceiverApp:
    """Answers every request to the process; all parts may be used by several threads at once."""

    soap_application: WSGIApplication
    doors: WSGIApplication
    gatekeeper: Gatekeeper
    units: Units
    wsdl: bytes
    max_body_bytes: int
    turnstile: Turnstile
    body_deadline: BodyDeadline

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI, PEP 3333."""
        request_id = secrets.token_hex(8)
        with logs.request_scope(request_id):
            try:
                if _leads_to_a_door(environ):
                    environ[REQUEST_ID_KEY] = request_id
                    return _answered_by(self.doors, environ, start_response, request_id=request_id)
                answer = self._answer(environ)
            except Exception:
                logs.failure(logs.REQUEST_FAILED)
                answer = soap(_ERROR, fault_envelope("Server", f"internal error; ask for request {request_id}"))
            body = answer.send(start_response, request_id=request_id)
            return [] if environ["REQUEST_METHOD"] == "HEAD" else body

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        if environ.get("PATH_INFO", "").rstrip("/").lower() != SERVICE_PATH:
            return plain("404 Not Found", "There is nothing here; orders go to /OrderNotificationService.svc")
        method = environ["REQUEST_METHOD"]
        if method == "GET":
            return self._description(environ.get("QUERY_STRING", ""))
        if method not in {"HEAD", "POST"}:
            return plain("405 Method Not Allowed", f"Use one of {_METHODS}.", ("Allow", _METHODS))
        if not self.gatekeeper.admits(environ.get("HTTP_AUTHORIZATION")):
            logs.note(logs.REQUEST_UNAUTHORIZED, received_from=environ.get("REMOTE_ADDR"), method=method)
            return unauthorized()
        return Answer("200 OK", b"") if method == "HEAD" else self._create_order(environ)

    def _description(self, query: str) -> Answer:
        if query.partition("=")[0].lower() in {"wsdl", "singlewsdl"}:
            return Answer("200 OK", self.wsdl, "text/xml; charset=utf-8")
        return plain("200 OK", "This is the Norce order receiver. Orders are posted here; ?wsdl describes how.")

    def _create_order(self, environ: WSGIEnvironment) -> Answer:
        if not gate.is_soap(environ):
            return plain("415 Unsupported Media Type", "Send a SOAP 1.1 envelope as text/xml.")
        try:
            return self._answer_to_envelope(environ)
        except RequestRefused as refusal:
            logs.note(logs.REQUEST_REFUSED, reason=refusal.reason, received_from=environ.get("REMOTE_ADDR"))
            return soap(_ERROR, fault_envelope(refusal.code, refusal.reason))
        except TryAgainLater as trouble:
            logs.note(logs.REQUEST_PUT_OFF, reason=str(trouble))
            return soap(_ERROR, fault_envelope("Server", f"{trouble}; send the request again"))

    def _answer_to_envelope(self, environ: WSGIEnvironment) -> Answer:
        gate.check_head(environ)
        waited_s = arrival().waited_s
        try:
            body = read_body(environ, limit=self.max_body_bytes, deadline=self.body_deadline)
        except BodyIncomplete as refusal:
            if refusal.received:
                keep_refusal(refusal, _receipt(environ, refusal.received), units=self.units)
            raise
        receipt = _receipt(environ, body)
        try:
            with self.turnstile.turn(waited_s=waited_s):
                return self._answer_to_receipt(environ, receipt)
        except RequestRefused as refusal:
            keep_refusal(refusal, receipt, units=self.units)
            raise
        except TryAgainLater:
            raise
        except Exception:
            # Our bug must not cost the order: what came is kept before the sender hears of it.
            keep_refusal(RequestRefused("internal error"), receipt, units=self.units)
            raise

    def _answer_to_receipt(self, environ: WSGIEnvironment, receipt: Receipt) -> Answer:
        environ[ENVELOPE_KEY] = clean(receipt.body, content_type=receipt.media_type)
        environ[RECEIPT_KEY] = receipt
        return _collected(self.soap_application, environ)


def _leads_to_a_door(environ: WSGIEnvironment) -> bool:
    path: str = environ.get("PATH_INFO", "")
    return path == "/orders" or path.startswith(("/erp/", "/orders/"))


def _answered_by(
    application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, *, request_id: str
) -> Iterable[bytes]:
    """Let another application answer, and label its answer like ours."""

    def labelled(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
        return start_response(status, [*headers, ("X-Request-Id", request_id)], *error)

    return application(environ, labelled)


def _receipt(environ: WSGIEnvironment, body: bytes) -> Receipt:
    return Receipt(
        body=body,
        received_at=datetime.now(UTC),
        received_from=environ.get("REMOTE_ADDR"),
        media_type=environ.get("CONTENT_TYPE", ""),
    )


def _collected(application: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Run the SOAP application and collect its answer, so that nothing is sent before it is whole."""
    statuses: list[str] = []

    def start_response(status: str, *_: object) -> None:
        statuses.append(status)

    body = b"".join(application(environ, start_response))  # type: ignore[arg-type]
    return soap(statuses[0], body)
