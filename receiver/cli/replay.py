"""`receiver replay`: captured requests, posted again as Norce would."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from receiver.cli.captures import Capture, CaptureUnreadable, read_capture
from receiver.cli.output import CommandFailed, print_json
from receiver.cli.posting import (
    Credentials,
    Posted,
    Poster,
    configured_credentials,
    local_url,
    post_all,
    show_answers,
)
from receiver.settings import read_settings


def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help=".http (head and body) or .xml (an envelope)")],
    *,
    url: Annotated[str | None, typer.Option(help="where to post; default: the configured receiver")] = None,
    username: Annotated[str | None, typer.Option(help="default: RECEIVER_USERNAME")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="a file that holds the password; default: the configured password")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Post captured requests as Norce would, and show the answers. Ends with 1 unless all of them are OK."""
    captures = _read_all(files)
    poster = _poster(url, username, password_file)
    try:
        posted = post_all(poster, captures)
    finally:
        poster.close()
    if as_json:
        print_json([_as_data(row) for row in posted])
    else:
        show_answers(posted)
    if not all(row.is_ok for row in posted):
        raise typer.Exit(1)


def _read_all(files: list[Path]) -> list[tuple[str, Capture]]:
    captures, problems = [], []
    for file in files:
        try:
            captures.append((str(file), read_capture(file)))
        except CaptureUnreadable as problem:
            problems.append(str(problem))
    if problems:
        raise CommandFailed("nothing was posted:\n" + "\n".join(f"  {problem}" for problem in problems))
    return captures


def _poster(url: str | None, username: str | None, password_file: Path | None) -> Poster:
    if url is not None and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
        raise CommandFailed("--url must be an address such as http://127.0.0.1:8080/OrderNotificationService.svc")
    if url and username and password_file:
        # A receiver elsewhere can be called from a machine that has none configured.
        return Poster(url, Credentials(username, _password(password_file)))
    settings = read_settings()
    credentials = configured_credentials(settings)
    name = username or (credentials and credentials.username)
    password = _password(password_file) if password_file else credentials and credentials.password
    if bool(name) != bool(password):
        raise CommandFailed("a username and a password belong together; one of them is missing")
    return Poster(url or local_url(settings), Credentials(name, password) if name and password else None)


def _password(file: Path) -> str:
    try:
        password = file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise CommandFailed(f"--password-file: {file} cannot be read") from None
    if not password:
        raise CommandFailed(f"--password-file: {file} is empty")
    return password


def _as_data(posted: Posted) -> dict[str, object]:
    return {name: value for name, value in asdict(posted).items() if name != "body"} | {"is_ok": posted.is_ok}
