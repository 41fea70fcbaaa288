"""Puts the commands together. An error raised on purpose is shown as its message and ends with exit code 1."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from receiver import logs
from receiver.cli import serve
from receiver.cli.dead_letters import dead_letters
from receiver.cli.demo import demo
from receiver.cli.erase import erase_customer, purge
from receiver.cli.orders import orders
from receiver.cli.outbox import outbox
from receiver.cli.refused import refused
from receiver.cli.rekey import rekey
from receiver.cli.relay import relay
from receiver.cli.replay import replay
from receiver.cli.report import report
from receiver.errors import ReceiverError

cli = typer.Typer(
    name="receiver",
    help="Receives orders from Norce Commerce, stores each once and acknowledges it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
cli.command("serve")(serve.serve)
cli.command("relay")(relay)
cli.command("migrate")(serve.migrate_database)
cli.command("settings")(serve.show_settings)
cli.add_typer(orders, name="orders")
cli.add_typer(refused, name="refused")
cli.command("report")(report)
cli.command("outbox")(outbox)
cli.add_typer(dead_letters, name="dead-letters")
cli.command("erase")(erase_customer)
cli.command("purge")(purge)
cli.command("rekey")(rekey)
cli.command("replay")(replay)
cli.command("demo")(demo)


def main() -> None:
    """Run one command."""
    try:
        cli()
    except ReceiverError as error:
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except Exception:
        # By type and place only: the text of a foreign error may quote an order.
        logs.configure(as_text=True)
        logs.failure(logs.COMMAND_FAILED)
        sys.exit(1)
