"""Running the relay: the process that empties the outbox."""

from __future__ import annotations

import gc
from typing import Annotated

import typer

from receiver import logs
from receiver.bootstrap import build_relay
from receiver.errors import TryAgainLater
from receiver.flows.relay_outbox import TRY_AGAIN_S, Stop
from receiver.settings import read_settings
from receiver.stopping import StopRequest
from receiver.storage.engine import Engine
from receiver.storage.migrate import require_current_schema


def relay(
    *,
    parent: Annotated[int | None, typer.Option(hidden=True, help="stop when this is no longer the parent")] = None,
) -> None:
    """Hand orders to the ERP and reports to Norce until told to stop; run as many of these as you like.

    SIGTERM and SIGINT stop it cleanly: what is being delivered is finished, what was only claimed is given back.
    """
    settings = read_settings(needs_credentials=False)
    logs.configure(as_text=settings.log_format == "text")
    built = build_relay(settings)
    stop = StopRequest(parent=parent)
    _await_database(built.engine, stop)
    # What start-up made is set aside, as in the workers: collections then look at messages only.
    gc.collect()
    gc.freeze()
    logs.note(logs.RELAY_STARTED, destinations=sorted(built.flow.couriers))
    built.run(stop)
    logs.note(logs.RELAY_STOPPED)


def _await_database(engine: Engine, stop: Stop) -> None:
    """Wait for a database that is away, as the relay does later; another schema than ours is an error at once."""
    while not stop.is_set():
        try:
            require_current_schema(engine)
            return
        except TryAgainLater:
            stop.wait(TRY_AGAIN_S)
