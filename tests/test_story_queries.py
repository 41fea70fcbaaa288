"""An order's story is told whole and in the order of time, on every database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from receiver.storage.engine import new_engine
from receiver.storage.story_queries import StoryQueries
from tests.relaying import CONFIRMED, INVOICE, NOT_NOW, REFUSED, DecidingCourier, Never, Outbox, outbox_on

REF = "700101"
GO = Never()


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    with outbox_on(database_url) as found:
        yield found


@pytest.fixture
def story(database_url: str) -> Iterator[StoryQueries]:
    engine = new_engine(database_url, connections=1)
    yield StoryQueries(engine)
    engine.dispose()


def test_the_timeline_tells_what_came_in_what_went_out_and_what_became_of_it(
    outbox: Outbox, story: StoryQueries
) -> None:
    outbox.accept(REF)
    outbox.accept("700102")
    outbox.relay(erp=DecidingCourier(lambda _: NOT_NOW)).round(GO)
    outbox.make_due()
    outbox.relay(erp=DecidingCourier()).round(GO)
    outbox.accept(REF, comment="second")
    outbox.report("order-status", CONFIRMED)
    outbox.relay(norce=DecidingCourier(lambda _: REFUSED)).round(GO)

    told = story.timeline(outbox.order(REF)["id"])
    assert [(entry.event, entry.revision, entry.destination, entry.kind) for entry in told] == [
        ("received", 1, None, None),
        ("appended", 1, "erp", "order"),
        ("not_delivered", 1, "erp", "order"),
        ("delivered", 1, "erp", "order"),
        ("revised", 2, None, None),
        ("appended", 2, "erp", "order"),
        ("appended", None, "norce", "order-status"),
        ("refused", None, "norce", "order-status"),
    ]
    assert [entry.happened_at for entry in told] == sorted(entry.happened_at for entry in told)
    assert [entry.detail for entry in told if entry.detail] == ["not now", "no such order"]
    assert [entry.milliseconds is None for entry in told] == [True, True, False, False, True, True, True, False]
    assert len({entry.message_id for entry in told if entry.kind == "order"}) == 2
    assert {entry.key for entry in told if entry.kind == "order"} == {None}
    assert told[-1].key == told[-2].key
    assert (told[-1].key or "").startswith("order-status:")


def test_reports_come_with_their_payload_and_where_they_stand(outbox: Outbox, story: StoryQueries) -> None:
    outbox.accept(REF)
    outbox.report("order-status", CONFIRMED)
    outbox.relay(norce=DecidingCourier()).round(GO)
    outbox.report("invoice", INVOICE)

    status, invoice = story.reports(outbox.order(REF)["id"])
    assert (status.kind, status.state, status.attempts) == ("order-status", "delivered", 1)
    assert status.finished_at is not None
    assert status.finished_at >= status.created_at
    assert (invoice.kind, invoice.key, invoice.state) == ("invoice", "invoice:F-1", "pending")
    assert (invoice.attempts, invoice.finished_at) == (0, None)
    assert invoice.payload["lines"][0]["unit_price"] == "100.10"


def test_an_order_nobody_knows_has_no_story(story: StoryQueries) -> None:
    assert (story.timeline(1), story.reports(1)) == ([], [])
