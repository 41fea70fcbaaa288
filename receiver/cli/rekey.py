"""`receiver rekey`: stores every request as it would be stored today, under the first of the keys."""

from __future__ import annotations

import typer

from receiver.cli.output import print_lines
from receiver.cli.records import open_rekeying
from receiver.settings import read_settings


def rekey() -> None:
    """Encrypt stored requests under the first key of RECEIVER_PAYLOAD_KEYS, whatever they are stored under now.

    Afterwards the other keys can be taken out of the setting. It may run beside the receiver, and again at any time.
    """
    settings = read_settings(needs_credentials=False)
    with open_rekeying(settings) as rekeying:
        done = rekeying.run()
    how = "under the first key" if settings.payload_key_list else "open, for RECEIVER_PAYLOAD_KEYS is not set"
    for name in done.unreadable:
        print_lines(f"No key opens the request of {name}; it stays as it is.")
    others = "all others" if done.unreadable else "all"
    print_lines(f"{done.count} requests were stored anew; {others} are stored {how}.")
    if done.unreadable:
        raise typer.Exit(1)
