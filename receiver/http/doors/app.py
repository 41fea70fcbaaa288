"""The Flask application with both doors, to be called as WSGI by the receiver's own application.

Flask never sees a SOAP request. It must not log or show an error either: an exception's message may hold what a caller
wrote, so every error is turned into a problem document here.
"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, request

from receiver import logs
from receiver.http.doors.problems import ProblemDetails, problem_of

REQUEST_ID_KEY = "receiver.request_id"
"""Where the environment of a request holds the id under which it is logged."""


def doors_application(*doors: Blueprint) -> Flask:
    """A Flask application with these doors and nothing else: no sessions, templates, static files or redirects."""
    application = Flask("receiver.http.doors", static_folder=None, template_folder=None)
    application.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # A redirect would be answered before the credentials are asked for, and lose a POST's body.
    application.url_map.merge_slashes = False
    application.register_error_handler(Exception, _answered)
    for door in doors:
        application.register_blueprint(door)
    return application


def _answered(error: Exception) -> Response:
    details = problem_of(error)
    _note(details)
    return details.answer(request_id=request.environ[REQUEST_ID_KEY])


def _note(details: ProblemDetails) -> None:
    """One line for each request that failed: which door, which status, our own words for it and nobody else's."""
    data = {
        "door": request.blueprint,
        "status": details.status,
        "reason": details.title,
        "received_from": request.remote_addr,
    }
    match details.status:
        case 500:
            logs.failure(logs.REQUEST_FAILED, **data)
        case 503:
            logs.note(logs.REQUEST_PUT_OFF, **data)
        case 401:
            logs.note(logs.REQUEST_UNAUTHORIZED, **data)
        case _:
            event = logs.REPORT_REFUSED if request.blueprint == "reports" else logs.REQUEST_REFUSED
            logs.note(event, **data, problems=len(details.problems))
