"""The one place where concrete parts meet: settings in, a running application out."""

from __future__ import annotations

from receiver.http.app import ReceiverApp
from receiver.http.auth import Gatekeeper
from receiver.settings import Settings
from receiver.soap.service import order_door, soap_application
from receiver.soap.wsdl import wsdl_at
from receiver.storage.engine import Engine, new_engine
from receiver.storage.unit_of_work import SqlUnits


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
    )


def engine_for(settings: Settings) -> Engine:
    """The engine with one connection for each thread of a worker."""
    return new_engine(settings.database_url, connections=settings.threads)
