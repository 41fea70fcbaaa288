"""What the doors answer when they cannot do as asked: problem documents of RFC 9457.

`problem_of` is the one place where an error becomes a status. What a document says reaches its caller only; the log
gets title and status, because a path may hold what the caller wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from flask import Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from receiver.errors import (
    OrderUnclear,
    OrderUnknown,
    Problem,
    ReportConflict,
    ReportInvalid,
    RequestRefused,
    TryAgainLater,
)
from receiver.flows.report_json import NotJson
from receiver.http.doors.documents import document

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 10
MOST_LISTED = 1_000
"""Problems in one answer; a document of nothing but problems would be answered with many times its size."""


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """A problem document without the request it is about.

    `kind` names the sort of problem for programs, `more` are members that only this kind has.
    """

    kind: str
    status: int
    title: str
    detail: str | None = None
    problems: Sequence[Problem] = ()
    headers: tuple[tuple[str, str], ...] = ()
    more: Mapping[str, object] = field(default_factory=dict)

    def answer(self, *, request_id: str) -> Response:
        """The document as an answer."""
        said = {
            "type": f"urn:norce-order-receiver:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": request_id,
        }
        listed = [{"path": each.path, "text": each.text} for each in self.problems[:MOST_LISTED]]
        members: dict[str, object] = {name: value for name, value in said.items() if value is not None}
        if listed:
            members["problems"] = listed
        response = document({**members, **self.more}, status=self.status, media_type=MEDIA_TYPE)
        response.headers.extend(self.headers)
        return response


class DoorProblem(Exception):
    """Ends a request with a problem document."""

    def __init__(self, details: ProblemDetails) -> None:
        self.details = details
        super().__init__(details.title)


def give_up(kind: str, status: int, title: str, detail: str | None = None) -> NoReturn:
    """End the request with a problem that needs no more than words."""
    raise DoorProblem(ProblemDetails(kind, status, title, detail))


_NOT_HERE = ProblemDetails("not-here", 404, "there is nothing here", "see POST /erp/reports and GET /orders")
_OUR_BUG = ProblemDetails("internal-error", 500, "internal error")


def problem_of(error: Exception) -> ProblemDetails:  # noqa: PLR0911 - a table, one line an error
    """The problem that an error is to the caller; what nobody foresaw is our bug."""
    match error:
        case DoorProblem():
            return error.details
        case NotJson():
            return ProblemDetails("not-json", 400, "the report is no JSON", str(error))
        case ReportInvalid():
            return _invalid(error)
        case OrderUnknown():
            return ProblemDetails("order-unknown", 404, "the report's order is not known", str(error))
        case OrderUnclear():
            return ProblemDetails("order-unclear", 409, "several orders have the report's references", str(error))
        case ReportConflict():
            return ProblemDetails("report-conflict", 409, "the key was used for another report", str(error))
        case RequestRefused():
            return ProblemDetails("bad-request", 400, "the request cannot be used", error.reason)
        case TryAgainLater():
            again = ("Retry-After", str(RETRY_AFTER_S))
            return ProblemDetails("try-again", 503, "not now; send the request again", str(error), headers=(again,))
        case HTTPException():
            return _of_routing(error)
        case _:
            return _OUR_BUG


def _invalid(error: ReportInvalid) -> ProblemDetails:
    count = len(error.problems)
    detail = None if count <= MOST_LISTED else f"{count} problems; the first {MOST_LISTED} are listed"
    return ProblemDetails("report-invalid", 422, "the report cannot be taken as it is", detail, error.problems)


def _of_routing(error: HTTPException) -> ProblemDetails:
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return ProblemDetails(
            "wrong-method", 405, "this method is not allowed here", f"use {allowed}", headers=(("Allow", allowed),)
        )
    if isinstance(error, NotFound):
        return _NOT_HERE
    return ProblemDetails("bad-request", error.code or 500, "the request cannot be used")
