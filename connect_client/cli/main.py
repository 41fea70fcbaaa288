"""Puts the commands together and turns every way to end into an exit code."""

from __future__ import annotations

import logging
import sys
import traceback

import click

from connect_client.cli.commands import commands
from connect_client.cli.outcomes import Exit, complain
from connect_client.cli.settings import OPTIONS, SECRETS, environment_name

_INTERRUPTED = 130
"""What shells say of a command that Ctrl-C ended; ours use it only before anything was sent."""

_HELP = """Report to Norce Commerce what became of an order.

\b
The options here say where and as whom; each stands in the environment too.
Secrets stand only there, or in files:
{secrets}

\b
Exit codes:
  0  done
  1  Norce refused; it did not act
  2  nothing was sent: options, message or settings are wrong
  3  not delivered; Norce did not act, and the call may be repeated
  4  the outcome is unknown: do not repeat an invoice or a credit before
     looking in Norce
"""


def main() -> None:
    """Run one command and end the process with its exit code."""
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        return int(_group().main(prog_name="connect-client", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return Exit.INVALID
    except click.Abort:
        complain("interrupted; nothing was sent")
        return _INTERRUPTED
    except Exception as error:
        # By type and place only: the text of a foreign error may quote the message.
        frame = traceback.extract_tb(error.__traceback__)[-1]
        complain(f"defect: {type(error).__name__} at {frame.filename}:{frame.lineno}")
        complain("it is not known whether anything was sent: look in Norce before you repeat this")
        return Exit.OUTCOME_UNKNOWN


def _group() -> click.Group:
    group = click.Group(
        callback=_prepare,
        params=[
            *(_setting(name, text) for name, text in OPTIONS.items()),
            click.Option(["--verbose"], is_flag=True, help="Log the calls, their times and request ids."),
        ],
        help=_HELP.format(secrets="\n".join(f"  {environment_name(secret)}" for secret in SECRETS)),
    )
    for command in commands():
        group.add_command(command)
    return group


def _setting(name: str, text: str) -> click.Option:
    option = f"--{name.replace('_', '-')}"
    return click.Option([name, option], envvar=environment_name(name), show_envvar=True, metavar="TEXT", help=text)


@click.pass_context
def _prepare(ctx: click.Context, /, *, verbose: bool, **settings: str | None) -> None:
    ctx.obj = settings
    # Without a handler of ours, Python would write the client's warnings beside our own lines.
    handler = logging.StreamHandler() if verbose else logging.NullHandler()
    log = logging.getLogger("connect_client")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
