"""`POST /erp/reports`: the ERP hands in one report, and it is in the outbox when it hears 202."""

from __future__ import annotations

from flask import Blueprint, Response, request

from receiver.flows.report_json import parse_report
from receiver.flows.submit_report import Submitted, submit_report
from receiver.http.body import BodyTooLarge, read_body
from receiver.http.deadline import BodyDeadline
from receiver.http.doors.documents import JSON, document
from receiver.http.doors.entry import Entry
from receiver.http.doors.places import Places
from receiver.http.doors.problems import give_up
from receiver.ports import Units

LARGEST_REPORT = 1_000_000
"""Bytes; an invoice of a thousand lines has a third of that."""

CLOSED = "reports are not taken here: set RECEIVER_REPORTS_USERNAME and RECEIVER_REPORTS_PASSWORD to take them"


def reports_door(entry: Entry, *, units: Units, places: Places, body_deadline: BodyDeadline) -> Blueprint:
    """The door through which reports come in; its requests read a body, so they are inside while it arrives."""
    door = Blueprint("reports", __name__)
    door.before_request(entry.check)

    @door.post("/erp/reports")
    def take_report() -> Response:
        _check_head()
        with places.inside():
            parsed = parse_report(_body(body_deadline))
            with places.work():
                submitted = submit_report(parsed, units=units)
        return _receipt(submitted)

    return door


def _check_head() -> None:
    if request.mimetype != JSON:
        give_up("wrong-media-type", 415, "reports are JSON", f"send the report as {JSON}")
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        give_up("wrong-media-type", 415, "reports are not compressed", "send the report without Content-Encoding")


def _body(deadline: BodyDeadline) -> bytes:
    try:
        return read_body(request.environ, limit=LARGEST_REPORT, deadline=deadline)
    except BodyTooLarge:
        give_up("body-too-large", 413, "the body is too large", f"a report may have {LARGEST_REPORT} bytes")


def _receipt(submitted: Submitted) -> Response:
    appended = submitted.appended
    told = {
        "message_id": appended.message_id,
        "key": submitted.key,
        "state": appended.state,
        "is_repeat": appended.is_repeat,
    }
    return document(told, status=200 if appended.is_repeat else 202)
