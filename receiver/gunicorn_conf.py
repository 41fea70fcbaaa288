"""gunicorn's configuration, read by `receiver serve`; the environment is already checked by then."""

from __future__ import annotations

import gc
import os
from typing import Any

from receiver import logs
from receiver.http.app import ReceiverApp
from receiver.relay_keeper import WITH_RELAY, RelayKeeper
from receiver.settings import read_settings

_settings = read_settings()
_keeper = RelayKeeper() if os.environ.get(WITH_RELAY) else None

bind = _settings.bind
workers = _settings.workers
threads = _settings.threads
worker_class = "receiver.http.patience.PatientWorker"
proc_name = "norce-order-receiver"

# A worker that has not even looked at the clock for this long is replaced; a request is answered far sooner.
timeout = 60
graceful_timeout = 30
# Norce keeps its connection between orders; nginx in front does too.
keepalive = 75

# SOAP callers send few and short headers.
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190

# We log one line for each request ourselves, with its request id and without its query.
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True


def when_ready(server: Any) -> None:
    """Start the relay beside the workers, where `serve` was asked to."""
    if _keeper is not None:
        # The master itself says nothing otherwise; each worker configures its own log.
        logs.configure(as_text=_settings.log_format == "text")
        # gunicorn lets its sockets be inherited, for an upgrade without a gap; a relay would keep the port.
        _keeper.start(closing=[listener.fileno() for listener in server.LISTENERS])


def on_exit(_server: object) -> None:
    """End the relay after the workers, so that the master is the last to go."""
    if _keeper is not None:
        _keeper.end()


def post_worker_init(_worker: object) -> None:
    """Set aside what start-up made: a full collection then looks at requests only, not at every imported library."""
    gc.collect()
    gc.freeze()


def worker_exit(_server: object, worker: Any) -> None:
    """Close the database's connections; a worker that never came up has no application of ours."""
    if isinstance(getattr(worker, "wsgi", None), ReceiverApp):
        worker.wsgi.units.close()
