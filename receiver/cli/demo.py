"""`receiver demo`: a receiver, a few invented orders as Norce would send them, and a look at what was stored.

Needs no settings: what the environment does not give is invented for this run. Only for SQLite, and in a file of its
own unless one is named, because invented orders must not get into a database that an ERP reads.
"""

from __future__ import annotations

import os
import secrets
import shlex
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from receiver.cli.background import receiver_beside, require_running
from receiver.cli.captures import read_capture
from receiver.cli.orders import only_order, show_lines, show_list, show_timeline
from receiver.cli.output import CommandFailed, console
from receiver.cli.posting import Poster, configured_credentials, local_url, post_all, show_answers
from receiver.cli.records import open_records
from receiver.cli.refused import show_refused_list
from receiver.errors import SettingsInvalid
from receiver.settings import Settings, read_settings

SAMPLES = Path(__file__).parent.parent / "samples"
"""Requests in the byte shape of a WCF client; every person and company in them is invented."""

SHOP = UUID("d3b0c1de-0000-4000-8000-000000000001")
FIRST_ORDER = "700101"
"""The reference of the first sample, which the application SHOP took."""

_DATABASE = "sqlite:///demo.db"
"""Not the default database, in which real orders may lie."""

_CREDENTIALS = ("USERNAME", "PASSWORD", "PASSWORD_FILE", "ALLOW_ANONYMOUS")
# Two workers start sooner than one for each processor, and a person reads the log.
_DEFAULTS = {"workers": "2", "log_format": "text"}


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="stop after showing what was stored")] = False,
) -> None:
    """Start a receiver, post sample orders to it, show what was stored, and keep serving until Ctrl-C."""
    settings, is_invented = _settings()
    if not settings.database_url.startswith("sqlite"):
        raise CommandFailed("the demo posts invented orders and does so on SQLite only; unset RECEIVER_DATABASE_URL")
    url = local_url(settings)
    _say(f"Starting a receiver at {url}, which stores in {settings.database_url}")
    environ = {f"RECEIVER_{n.upper()}": v for n, v in _DEFAULTS.items() if n not in settings.model_fields_set}
    try:
        with receiver_beside(settings.bind, url=url, environ=environ) as server:
            _post_samples(settings, url)
            _show_stored(settings)
            if once:
                return
            _show_how_to_go_on(settings, url, is_invented=is_invented)
            server.wait()
            require_running(server)
    except KeyboardInterrupt:
        _say("The receiver has ended.")


def _settings() -> tuple[Settings, bool]:
    """The settings, and whether their credentials were invented here."""
    # What is invented goes through the environment, so that the receiver we start reads the same.
    is_invented = False
    try:
        settings = read_settings()
    except SettingsInvalid:
        if any(os.environ.get(f"RECEIVER_{name}") for name in _CREDENTIALS):
            raise
        is_invented = True
        os.environ |= {"RECEIVER_USERNAME": "norce", "RECEIVER_PASSWORD": secrets.token_urlsafe(9)}
        settings = read_settings()
    if "database_url" not in settings.model_fields_set:
        os.environ["RECEIVER_DATABASE_URL"] = _DATABASE
        settings = read_settings()
    return settings, is_invented


def _post_samples(settings: Settings, url: str) -> None:
    samples = [(file.name, read_capture(file)) for file in sorted(SAMPLES.glob("*.http"))]
    poster = Poster(url, configured_credentials(settings))
    try:
        _say(f"\nPosting {len(samples)} sample orders as Norce would; the receiver logs:")
        posted = post_all(poster, samples)
        _say("\nNorce hears:")
        show_answers(posted)
        _say("\nHad it heard nothing, Norce would send the first order again, in the same words:")
        again = poster.post(*samples[0])
        show_answers([again])
        if again.is_ok and again.body == posted[0].body:
            _say("The same answer, byte for byte, and still one order.")
    finally:
        poster.close()


def _show_stored(settings: Settings) -> None:
    with open_records(settings) as records:
        _say("\nStored:")
        show_list(records.orders.newest(limit=10))
        order = only_order(records.orders, FIRST_ORDER, application_key=SHOP)
        show_lines(order, records.orders.lines(order.order_id, revision=order.revision), revision=order.revision)
        show_timeline(records.stories.timeline(order.order_id))
        _say("\nRefused, and kept as it came:")
        show_refused_list(records.refused.newest(limit=10))


def _show_how_to_go_on(settings: Settings, url: str, *, is_invented: bool) -> None:
    command = _command()
    _say("\nServing until Ctrl-C. In another terminal, in this folder:")
    if settings.database_url == _DATABASE:
        _say(f"  export RECEIVER_DATABASE_URL={_DATABASE}")
    _say(f"  {command} orders show {FIRST_ORDER}")
    _say(f"  {command} orders show {FIRST_ORDER} --xml > order.xml")
    if is_invented:
        password = shlex.quote(os.environ["RECEIVER_PASSWORD"])
        _say(f"  export RECEIVER_USERNAME=norce RECEIVER_PASSWORD={password}")
    user = '-u "$RECEIVER_USERNAME:$RECEIVER_PASSWORD" ' if settings.username else ""
    _say(f"  curl {user}-H 'Content-Type: text/xml; charset=utf-8' --data-binary @order.xml {url}")


def _command() -> str:
    """How this very installation is called from here."""
    script = Path(sys.executable).with_name("receiver")
    if not script.is_file():
        return f"{sys.executable} -m receiver"
    return str(script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script)


def _say(text: str) -> None:
    console().print(text, markup=False, soft_wrap=True)
