"""What no error, log line or traceback of the client may show."""

from __future__ import annotations

import base64
import traceback

import pytest

from connect_client import CallFailed
from tests.raw_servers import PASSWORD, PERSONAL, REPLIED


def assert_silent(error: CallFailed, caplog: pytest.LogCaptureFixture, *secrets: str) -> None:
    """The error was logged once, carries no other along, and shows nothing of message, reply and secrets."""
    logged = [record for record in caplog.records if record.name == "connect_client"]
    assert [record.levelname for record in logged] == ["WARNING"]
    assert error.request_id in logged[0].getMessage()
    assert (error.__cause__, error.__context__) == (None, None)
    told = [str(error), repr(error), *traceback.format_exception_only(error)]
    told += [record.getMessage() for record in caplog.records]
    basic = base64.b64encode(f"1042:{PASSWORD}".encode()).decode()
    for secret in (PERSONAL, PASSWORD, REPLIED, basic, *secrets):
        for text in told:
            assert secret not in text
            assert secret.encode().decode("latin-1") not in text
            assert repr(secret.encode())[2:-1] not in text
