"""`GET /orders` and `GET /orders/{client_order_ref}`: what was received and what became of it, read only.

Lines and reports hold personal data, so this door has credentials of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, request

from receiver.http.doors.cursors import cursor_of
from receiver.http.doors.documents import document
from receiver.http.doors.entry import Entry
from receiver.http.doors.order_documents import order_document, summary_document
from receiver.http.doors.places import Places
from receiver.http.doors.problems import DoorProblem, ProblemDetails, give_up
from receiver.http.doors.search import Search, application_key_of, search_of
from receiver.storage.order_queries import OrderQueries, OrderSummary, PageEnd
from receiver.storage.story_queries import StoryQueries

CLOSED = "orders cannot be read here: set RECEIVER_HISTORY_USERNAME and RECEIVER_HISTORY_PASSWORD to read them"


@dataclass(frozen=True, slots=True)
class History:
    """All that is asked about orders."""

    orders: OrderQueries
    story: StoryQueries


def history_door(entry: Entry, *, history: History, places: Places) -> Blueprint:
    """The door through which orders are looked at."""
    door = Blueprint("history", __name__)
    door.before_request(entry.check)

    @door.get("/orders", strict_slashes=False)
    def list_orders() -> Response:
        search = search_of(request.args)
        with places.inside(), places.work():
            found = _page(search, history)
        return document(found)

    # A reference may hold a slash.
    @door.get("/orders/<path:client_order_ref>")
    def show_order(client_order_ref: str) -> Response:
        application_key = application_key_of(request.args)
        ref = client_order_ref.strip()
        if not ref.isprintable():
            # PostgreSQL has no NUL in its texts and would call it our mistake.
            give_up(*_UNKNOWN)
        with places.inside(), places.work():
            order = _only(history.orders.find(ref, application_key=application_key))
            shown = order_document(
                order,
                lines=history.orders.lines(order.order_id, revision=order.revision),
                reports=history.story.reports(order.order_id),
                timeline=history.story.timeline(order.order_id),
            )
        return document(shown)

    return door


_UNKNOWN = ("order-unknown", 404, "no order with this reference was received here")


def _page(search: Search, history: History) -> dict[str, object]:
    """One more than asked for tells whether there is another page."""
    found = history.orders.page(search.filters, limit=search.limit + 1, after=search.after)
    shown = found[: search.limit]
    following = None
    if len(found) > len(shown):
        following = cursor_of(PageEnd(shown[-1].received_at, shown[-1].order_id))
    return {"orders": [summary_document(order) for order in shown], "next": following}


def _only(found: list[OrderSummary]) -> OrderSummary:
    if not found:
        give_up(*_UNKNOWN)
    if len(found) > 1:
        raise DoorProblem(
            ProblemDetails(
                "several-orders",
                409,
                "several applications use this reference",
                "choose one with ?application_key=",
                more={"application_keys": [str(order.application_key) for order in found]},
            )
        )
    return found[0]
