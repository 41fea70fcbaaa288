"""The one place where concrete parts meet: settings in, a running application out."""

from __future__ import annotations

from receiver.http.app import ReceiverApp
from receiver.http.auth import Gatekeeper
from receiver.http.deadline import BodyDeadline
from receiver.http.turnstile import Turnstile
from receiver.settings import Settings
from receiver.soap.service import order_door, soap_application
from receiver.soap.wsdl import wsdl_at
from receiver.storage.engine import Engine, new_engine
from receiver.storage.unit_of_work import SqlUnits

WORKED_AT_ONCE = 2
"""Orders a worker decodes and stores at the same time: while one waits for the commit, another is decoded."""


def build_app(settings: Settings) -> ReceiverApp:
    """The WSGI application; call it in the process that will serve, for it opens the database."""
    units = SqlUnits(engine_for(settings), sender_zone=settings.sender_time_zone)
    door = order_door(units, on_changed_repeat=settings.on_changed_repeat)
    return ReceiverApp(
        soap_application=soap_application(door),
        gatekeeper=Gatekeeper(settings.username, settings.passwords),
        units=units,
        wsdl=wsdl_at(settings.service_address),
        max_body_bytes=settings.max_body_bytes,
        turnstile=Turnstile(WORKED_AT_ONCE),
        body_deadline=BodyDeadline(),
    )


def engine_for(settings: Settings) -> Engine:
    """The engine with a connection for each order that is worked on, and one for a refusal that is kept meanwhile."""
    return new_engine(settings.database_url, connections=WORKED_AT_ONCE + 1)
