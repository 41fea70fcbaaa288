"""gunicorn's import target: `receiver.wsgi:app`.

It is imported in each worker after the fork, so every worker opens its own connections. Any other WSGI server may
import it too, after `receiver migrate`.
"""

from __future__ import annotations

from receiver import logs
from receiver.bootstrap import build_app
from receiver.settings import read_settings

_settings = read_settings()
logs.configure(as_text=_settings.log_format == "text")
app = build_app(_settings)
