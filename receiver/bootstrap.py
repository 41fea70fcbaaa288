"""The one place where concrete parts meet: settings in, a running application or relay out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connect_client import BasicAuth, ClientCredentials, ConnectClient, Timeouts, Tls
from receiver.errors import SettingsInvalid
from receiver.flows.relay_outbox import RelayOutbox, Stop
from receiver.http.app import ReceiverApp
from receiver.http.auth import Gatekeeper
from receiver.http.deadline import BodyDeadline
from receiver.http.doors.app import doors_application
from receiver.http.doors.entry import Entry
from receiver.http.doors.history import CLOSED as HISTORY_CLOSED
from receiver.http.doors.history import History, history_door
from receiver.http.doors.places import WORKED_AT_ONCE as DOORS_AT_ONCE
from receiver.http.doors.places import Places
from receiver.http.doors.reports import CLOSED as REPORTS_CLOSED
from receiver.http.doors.reports import reports_door
from receiver.http.turnstile import Turnstile
from receiver.outbox.message import Destination
from receiver.ports import Courier
from receiver.settings import Settings
from receiver.soap.service import order_door, order_reader, soap_application
from receiver.soap.wsdl import wsdl_at
from receiver.storage.bell import Ear
from receiver.storage.engine import Engine, new_engine
from receiver.storage.order_queries import OrderQueries
from receiver.storage.packing import Packing
from receiver.storage.story_queries import StoryQueries
from receiver.storage.unit_of_work import SqlUnits

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

WORKED_AT_ONCE = 2
"""Orders a worker decodes and stores at the same time: while one waits for the commit, another is decoded."""

POOL_WAIT_S, LONGEST_USE_S = 0.3, 1.0
"""A sender hears within two seconds that the database hangs: half a second at the turnstile, then these."""

RELAY_LOOKS_EVERY_S = 1.0
"""A message that comes due again has no bell."""

RELAY_CONNECTIONS = 2
"""One for the relay's units, one to listen for new messages."""

NORCE_TIMEOUTS = Timeouts(connect=5.0, read=35.0)
"""Together within what a single delivery may take (`ports.LONGEST_DELIVERY_S`)."""


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay and the engine it works on."""

    flow: RelayOutbox
    engine: Engine

    def run(self, stop: Stop) -> None:
        """Work until told to stop, then let go of everything."""
        ear = Ear(self.engine, stop.wait)
        try:
            self.flow.run(stop, ear.wait, idle_s=RELAY_LOOKS_EVERY_S)
        finally:
            ear.close()
            self.close()

    def close(self) -> None:
        """Let go of every connection."""
        for courier in self.flow.couriers.values():
            courier.close()
        self.engine.dispose()


def build_app(settings: Settings) -> ReceiverApp:
    """The WSGI application; call it in the process that will serve, for it opens the database."""
    engine = engine_for(settings, wait_s=POOL_WAIT_S, longest_use_s=LONGEST_USE_S)
    units = SqlUnits(engine, sender_zone=settings.sender_time_zone)
    body_deadline = BodyDeadline(slow_places=max(1, settings.threads // 2))
    door = order_door(units, on_changed_repeat=settings.on_changed_repeat)
    return ReceiverApp(
        soap_application=soap_application(door),
        doors=_doors(settings, engine, units, body_deadline),
        gatekeeper=Gatekeeper(settings.username, settings.passwords),
        units=units,
        wsdl=wsdl_at(settings.service_address),
        max_body_bytes=settings.max_body_bytes,
        turnstile=Turnstile(WORKED_AT_ONCE),
        body_deadline=body_deadline,
    )


def _doors(settings: Settings, engine: Engine, units: SqlUnits, body_deadline: BodyDeadline) -> WSGIApplication:
    """The JSON doors beside the SOAP path; one that has no credentials is closed and says so."""
    places = Places(threads=settings.threads)
    erp = _gatekeeper(settings.reports_username, settings.secret("reports_password"))
    readers = _gatekeeper(settings.history_username, settings.secret("history_password"))
    shown = History(OrderQueries(engine), StoryQueries(engine))
    return doors_application(
        reports_door(Entry("reports", erp, REPORTS_CLOSED), units=units, places=places, body_deadline=body_deadline),
        history_door(Entry("history", readers, HISTORY_CLOSED), history=shown, places=places),
    )


def _gatekeeper(username: str | None, password: str | None) -> Gatekeeper | None:
    return Gatekeeper(username, [password]) if username and password else None


def engine_for(settings: Settings, *, wait_s: float = 2.0, longest_use_s: float | None = None) -> Engine:
    """The engine with a connection for each order that is worked on, one for a refusal that is kept meanwhile, and one
    for the doors.
    """
    connections = WORKED_AT_ONCE + 1 + DOORS_AT_ONCE
    packing = Packing(settings.payload_key_list)
    return new_engine(
        settings.database_url, connections=connections, wait_s=wait_s, longest_use_s=longest_use_s, packing=packing
    )


def build_relay(settings: Settings) -> Relay:
    """The relay with a courier for each destination that is configured.

    Raises SettingsInvalid where there is none, and for a way to the ERP or to Norce that cannot be right.
    """
    if settings.erp is None and settings.connect_url is None:
        raise SettingsInvalid(["a relay needs RECEIVER_ERP or RECEIVER_CONNECT_URL: nothing could be delivered"])
    # The workers of the receiver need none of these.
    from receiver.couriers.choose import erp_courier
    from receiver.couriers.norce import NorceCourier

    couriers: dict[Destination, Courier] = {}
    if settings.erp is not None:
        couriers[Destination.ERP] = erp_courier(settings.erp, signing_secret=settings.secret("erp_signing_secret"))
    if settings.connect_url is not None:
        couriers[Destination.NORCE] = NorceCourier(norce_client(settings))
    packing = Packing(settings.payload_key_list)
    engine = new_engine(settings.database_url, connections=RELAY_CONNECTIONS, packing=packing)
    units = SqlUnits(engine, sender_zone=settings.sender_time_zone)
    return Relay(RelayOutbox(units, couriers, order_reader()), engine)


def norce_client(settings: Settings) -> ConnectClient:
    """The client for reports; call it only where `connect_url` is set."""
    auth: BasicAuth | ClientCredentials
    if settings.connect_client_id is not None:
        auth = ClientCredentials(
            settings.connect_token_url or "",
            settings.connect_client_id,
            settings.secret("connect_client_secret") or "",
            settings.connect_scope,
        )
    else:
        auth = BasicAuth(settings.connect_username or "", settings.secret("connect_password") or "")
    files = (settings.connect_ca_file, settings.connect_certificate_file, settings.connect_key_file)
    try:
        return ConnectClient(
            settings.connect_url or "",
            auth=auth,
            timeouts=NORCE_TIMEOUTS,
            tls=Tls(*(None if file is None else str(file) for file in files)),
            application_id=settings.connect_application_id,
            application_header=settings.connect_application_header,
            allow_plain_http=settings.connect_allow_plain_http,
        )
    except ValueError as error:
        raise SettingsInvalid([f"RECEIVER_CONNECT_*: {error}"]) from None
