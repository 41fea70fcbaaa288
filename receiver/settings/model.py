"""The environment, read once into one frozen Settings; every problem is reported in one message.

Read this in the entry modules only and hand the values down. Each setting is described where it is declared, and
`receiver settings` prints them.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from receiver.errors import SettingsInvalid
from receiver.settings.credentials import PREFIX, Credentials, credential_problems

_FOR_TESTS = "RECEIVER_TEST_"


class OnChangedRepeat(Enum):
    """What becomes of an order that comes again under its key with other content."""

    REVISE = "revise"
    REFUSE = "refuse"


def _database_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    # A bare postgresql:// would make SQLAlchemy look for psycopg 3, which is not what we ship.
    if scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg2://{rest}"
    if not separator or scheme not in {"sqlite", "postgresql+psycopg2"}:
        raise ValueError("must begin with sqlite:/// or postgresql+psycopg2://")
    if scheme == "sqlite" and rest.strip("/") in {"", ":memory:"}:
        raise ValueError("names no file; orders must survive a restart, so write sqlite:///receiver.db")
    return value


def _bind(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("must be an address and a port, such as 127.0.0.1:8080")
    return value


def _public_url(value: str | None) -> str | None:
    if value is None:
        return None
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.netloc or url.query or url.fragment:
        raise ValueError("must be the address callers use, such as https://orders.example.com")
    return value.rstrip("/")


def _time_zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a time zone name such as Europe/Stockholm") from None


class Settings(Credentials):
    """How this receiver runs. Times are seconds, sizes bytes."""

    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite:///receiver.db",
        description="where orders are kept: sqlite:///FILE or postgresql+psycopg2://…",
    )
    bind: Annotated[str, AfterValidator(_bind)] = Field("127.0.0.1:8080", description="address and port to listen on")
    public_url: Annotated[str | None, AfterValidator(_public_url)] = Field(
        None, description="the address callers use, written into the served WSDL; default http://BIND"
    )
    workers: int = Field(
        default_factory=lambda: min(max(os.cpu_count() or 1, 2), 8),
        ge=1,
        le=64,
        description="worker processes",
    )
    threads: int = Field(
        8, ge=1, le=256, description="threads of each worker, so requests whose bodies it can read at once"
    )
    max_body_bytes: int = Field(10_000_000, ge=1_000, description="largest request body that is read")
    on_changed_repeat: OnChangedRepeat = Field(
        OnChangedRepeat.REVISE, description="an order that comes again with other content: revise or refuse"
    )
    sender_time_zone: Annotated[ZoneInfo, BeforeValidator(_time_zone)] = Field(
        ZoneInfo("Europe/Stockholm"), description="zone of submission times that carry none"
    )
    erp: str | None = Field(
        None, description="how orders reach the ERP: amqp://…, https://…, dir:/path or python:package.module:function"
    )
    connect_url: str | None = Field(None, description="Norce's OrderService; without it reports wait in the outbox")
    connect_token_url: str | None = Field(None, description="where an OAuth2 client gets its tokens")
    connect_scope: str = Field("prod", description="the environment a token is for: playground, stage or prod")
    connect_application_id: str | None = Field(None, description="goes into the application header")
    connect_application_header: str = Field("application-id", description="the header for the application id")
    connect_ca_file: Path | None = Field(None, description="whom to trust when calling Norce: a PEM file")
    connect_certificate_file: Path | None = Field(None, description="our certificate for Norce: a PEM file")
    connect_key_file: Path | None = Field(None, description="its key: a PEM file")
    connect_allow_plain_http: bool = Field(False, description="true sends credentials to Norce unencrypted, for tests")
    log_format: Literal["json", "text"] = Field("json", description="json for machines, text for people")

    @property
    def service_address(self) -> str:
        """Where callers reach the service, whatever Host header they send."""
        return f"{self.public_url or f'http://{self.bind}'}/OrderNotificationService.svc"


def read_settings(*, needs_credentials: bool = True) -> Settings:
    """Read and check the environment; raises SettingsInvalid with every problem, secrets never among them.

    Commands that only open the database pass `needs_credentials=False` and may run without any.
    """
    problems = _unknown_names(os.environ)
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        problems += [_sentence(found["loc"], found["msg"]) for found in error.errors(include_input=False)]
    if settings is not None:
        problems += _connect_problems(settings)
    with suppress(ValidationError):
        problems += credential_problems(Credentials(), is_needed=needs_credentials)
    if problems or settings is None:
        raise SettingsInvalid(problems)
    return settings


def described() -> list[tuple[str, str, str]]:
    """Name, default and meaning of every setting, for help texts and the check that the README is complete."""
    rows = []
    for name, field in Settings.model_fields.items():
        default: Any = field.get_default(call_default_factory=True, validated_data={})
        shown = "" if default is None else str(default.value if isinstance(default, Enum) else default)
        rows.append((f"{PREFIX}{name.upper()}", shown, field.description or ""))
    return rows


def _connect_problems(settings: Settings) -> list[str]:
    """What is missing to call Norce, where reports are to be sent."""
    if settings.connect_url is None:
        return []
    basic = settings.connect_username, settings.secret("connect_password")
    token = settings.connect_client_id, settings.secret("connect_client_secret"), settings.connect_token_url
    if any(basic) and any(token):
        return [f"{PREFIX}CONNECT_USERNAME and {PREFIX}CONNECT_CLIENT_ID: choose basic authentication or OAuth2"]
    if not all(basic) and not all(token):
        return [
            f"{PREFIX}CONNECT_URL: needs {PREFIX}CONNECT_USERNAME and {PREFIX}CONNECT_PASSWORD, or "
            f"{PREFIX}CONNECT_TOKEN_URL, {PREFIX}CONNECT_CLIENT_ID and {PREFIX}CONNECT_CLIENT_SECRET"
        ]
    return []


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    return f"{PREFIX}{str(location[0]).upper()}: {message.removeprefix('Value error, ')}"


def _unknown_names(environ: Mapping[str, str]) -> list[str]:
    known = [name for name, _, _ in described()]
    problems = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(_FOR_TESTS) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            problems.append(f"{name}: there is no such setting" + (f"; did you mean {close[0]}?" if close else ""))
    return problems
