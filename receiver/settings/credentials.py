"""The secrets and names that open doors: ours for callers, and others' for us.

A class of its own, so that its problems are found beside those of the other settings. Each secret may stand in the
environment or in a file, never in both.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "RECEIVER_"
_KEY_BYTES = 32


def _no_colon(value: str | None) -> str | None:
    if value is not None and ":" in value:
        raise ValueError("must not contain a colon, which ends the name in basic authentication")
    return value


UserName = Annotated[str | None, AfterValidator(_no_colon)]


class Credentials(BaseSettings):
    """Who may place orders, send reports and look at orders, and who we are to the ERP and to Norce."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    username: UserName = Field(None, description="name with which Norce places orders; no colon")
    password: SecretStr | None = Field(None, description="its password")
    password_file: Path | None = Field(None, description="a file that holds the password, instead of PASSWORD")
    previous_password: SecretStr | None = Field(None, description="a second password that is valid during rotation")
    previous_password_file: Path | None = Field(None, description="a file that holds it, instead")
    allow_anonymous: bool = Field(False, description="true runs without credentials: anyone can place orders")
    reports_username: UserName = Field(
        None, description="name with which the ERP sends reports; without it none are taken"
    )
    reports_password: SecretStr | None = Field(None, description="its password")
    reports_password_file: Path | None = Field(None, description="a file that holds it, instead")
    history_username: UserName = Field(None, description="name with which orders may be read; without it none can be")
    history_password: SecretStr | None = Field(None, description="its password")
    history_password_file: Path | None = Field(None, description="a file that holds it, instead")
    erp_signing_secret: SecretStr | None = Field(None, description="signs orders that are posted to the ERP")
    erp_signing_secret_file: Path | None = Field(None, description="a file that holds it, instead")
    connect_username: str | None = Field(None, description="Norce's application id, for basic authentication")
    connect_password: SecretStr | None = Field(None, description="its secret key")
    connect_password_file: Path | None = Field(None, description="a file that holds it, instead")
    connect_client_id: str | None = Field(None, description="an OAuth2 client, instead of basic authentication")
    connect_client_secret: SecretStr | None = Field(None, description="its secret")
    connect_client_secret_file: Path | None = Field(None, description="a file that holds it, instead")
    payload_keys: SecretStr | None = Field(
        None, description="Fernet keys that encrypt stored requests, the newest first, separated by commas or lines"
    )
    payload_keys_file: Path | None = Field(None, description="a file that holds them, instead")

    def secret(self, name: str) -> str | None:
        """The secret of this field, read from its file where a file is named; None where neither is given."""
        given: SecretStr | None = getattr(self, name)
        file: Path | None = getattr(self, f"{name}_file")
        if given is not None:
            return given.get_secret_value()
        return _text_of(file) if file else None

    @property
    def passwords(self) -> tuple[str, ...]:
        """The valid passwords for placing orders; empty when running open."""
        found = (self.secret(name) for name in ("password", "previous_password"))
        return tuple(password for password in found if password)

    @property
    def payload_key_list(self) -> tuple[str, ...]:
        """The keys for stored requests, the newest first; empty where they are not encrypted."""
        return tuple(key for key in re.split(r"[\s,]+", self.secret("payload_keys") or "") if key)


SECRETS = tuple(name for name in Credentials.model_fields if f"{name}_file" in Credentials.model_fields)


def credential_problems(given: Credentials, *, is_needed: bool) -> list[str]:
    """What is wrong with them, secrets never among it; `is_needed` says whether orders will be taken."""
    problems = [problem for name in SECRETS for problem in _secret_problems(given, name)]
    for door, named in (("reports", given.reports_username), ("history", given.history_username)):
        if bool(named) != bool(given.secret(f"{door}_password")):
            prefix = f"{PREFIX}{door.upper()}"
            problems.append(f"{prefix}_USERNAME and {prefix}_PASSWORD: set both or neither")
    if not all(_is_fernet_key(key) for key in given.payload_key_list):
        problems.append(
            f"{PREFIX}PAYLOAD_KEYS: each key must be 32 bytes in URL-safe base64, as this makes one: "
            "python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
        )
    has_password = given.secret("password") is not None
    if given.allow_anonymous and (given.username or has_password):
        problems.append(f"{PREFIX}ALLOW_ANONYMOUS: set, but so are credentials; remove one or the other")
    if is_needed and not given.allow_anonymous and not (given.username and has_password):
        problems.append(
            f"{PREFIX}USERNAME and {PREFIX}PASSWORD (or {PREFIX}PASSWORD_FILE): must be set, "
            f"or {PREFIX}ALLOW_ANONYMOUS=true to accept orders from anyone"
        )
    return problems


def _is_fernet_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, altchars=b"-_", validate=True)) == _KEY_BYTES
    except ValueError:
        return False


def _secret_problems(given: Credentials, name: str) -> list[str]:
    upper, file = name.upper(), getattr(given, f"{name}_file")
    problems = []
    if getattr(given, name) and file:
        problems.append(f"{PREFIX}{upper}: set it or {upper}_FILE, not both")
    if file and not _text_of(file):
        problems.append(f"{PREFIX}{upper}_FILE: {file} is not a readable file with a password in UTF-8")
    return problems


def _text_of(file: Path) -> str | None:
    """The text of a file without the line end after it; None where there is nothing to read."""
    try:
        text = file.read_text("utf-8").rstrip("\r\n")
        return text if text.strip() else None
    except (OSError, UnicodeDecodeError):
        return None
