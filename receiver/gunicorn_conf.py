"""gunicorn's configuration, read by `receiver serve`; the environment is already checked by then."""

from __future__ import annotations

import gc
from typing import Any

from receiver.http.app import ReceiverApp
from receiver.settings import read_settings

_settings = read_settings()

bind = _settings.bind
workers = _settings.workers
threads = _settings.threads
worker_class = "receiver.http.worker.DiscreetWorker"
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


def post_worker_init(_worker: object) -> None:
    """Set aside what start-up made: a full collection then looks at requests only, not at every imported library."""
    gc.collect()
    gc.freeze()


def worker_exit(_server: object, worker: Any) -> None:
    """Close the database's connections; a worker that never came up has no application of ours."""
    if isinstance(getattr(worker, "wsgi", None), ReceiverApp):
        worker.wsgi.units.close()
