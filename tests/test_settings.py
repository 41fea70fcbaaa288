"""A receiver that cannot run says why before it starts: every wrong setting, in one message, without the secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.errors import SettingsInvalid
from receiver.settings import OnChangedRepeat, described, read_settings
from tests.servers import CREDENTIALS, run_command


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, _, _ in described():
        monkeypatch.delenv(name, raising=False)


def problems_of(monkeypatch: pytest.MonkeyPatch, **settings: str) -> str:
    for name, value in settings.items():
        monkeypatch.setenv(f"RECEIVER_{name}", value)
    with pytest.raises(SettingsInvalid) as refused:
        read_settings()
    return str(refused.value)


def set_credentials(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in {"USERNAME": "norce", "PASSWORD": "hemligt", **settings}.items():
        monkeypatch.setenv(f"RECEIVER_{name}", value)


def test_all_wrong_settings_are_in_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    message = problems_of(
        monkeypatch,
        DATABASE_URL="mysql://localhost/orders",
        BIND="8080",
        PUBLIC_URL="orders.example.com",
        WORKERS="0",
        THREADS="many",
        MAX_BODY_BYTES="-1",
        ON_CHANGED_REPEAT="ignore",
        SENDER_TIME_ZONE="Europe/Göteborg",
        USERNAME="a:b",
        PASSWRD="hemligt",
    )
    names = "DATABASE_URL BIND PUBLIC_URL WORKERS THREADS MAX_BODY_BYTES ON_CHANGED_REPEAT SENDER_TIME_ZONE PASSWRD"
    for name in [*names.split(), "USERNAME", "PASSWORD"]:
        assert f"RECEIVER_{name}" in message, name
    assert "did you mean RECEIVER_PASSWORD?" in message
    assert "hemligt" not in message


def test_serve_prints_every_problem_and_does_not_start(tmp_path: Path) -> None:
    done = run_command("serve", folder=tmp_path, RECEIVER_WORKERS="none", RECEIVER_BIND="nowhere")
    assert done.returncode == 1
    for name in ("RECEIVER_WORKERS", "RECEIVER_BIND", "RECEIVER_USERNAME", "RECEIVER_ALLOW_ANONYMOUS"):
        assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_defaults_are_those_that_are_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch)
    settings = read_settings()
    assert settings.database_url == "sqlite:///receiver.db"
    assert settings.bind == "127.0.0.1:8080"
    assert settings.service_address == "http://127.0.0.1:8080/OrderNotificationService.svc"
    assert settings.max_body_bytes == 10_000_000
    assert settings.on_changed_repeat is OnChangedRepeat.REVISE


def test_it_runs_open_only_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "RECEIVER_ALLOW_ANONYMOUS=true" in problems_of(monkeypatch)
    monkeypatch.setenv("RECEIVER_ALLOW_ANONYMOUS", "true")
    assert read_settings().passwords == ()
    assert "RECEIVER_ALLOW_ANONYMOUS" in problems_of(monkeypatch, USERNAME="norce", PASSWORD="hemligt")


@pytest.mark.parametrize(
    "half", [{"USERNAME": "norce"}, {"PASSWORD": "hemligt"}, {"USERNAME": "norce", "PASSWORD": ""}]
)
def test_half_of_the_credentials_is_not_enough(half: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "RECEIVER_USERNAME and RECEIVER_PASSWORD" in problems_of(monkeypatch, **half)


def test_passwords_come_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("hem ligt:ö\r\n", "utf-8")
    (tmp_path / "old").write_text(" gammalt", "utf-8")
    monkeypatch.setenv("RECEIVER_USERNAME", "norce")
    monkeypatch.setenv("RECEIVER_PASSWORD_FILE", str(tmp_path / "new"))
    monkeypatch.setenv("RECEIVER_PREVIOUS_PASSWORD_FILE", str(tmp_path / "old"))
    assert read_settings().passwords == ("hem ligt:ö", " gammalt")


def test_a_password_and_a_file_contradict_each_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("other", "utf-8")
    set_credentials(monkeypatch, PASSWORD_FILE=str(tmp_path / "secret"))
    assert "not both" in problems_of(monkeypatch)


@pytest.mark.parametrize("content", [None, b"", b" \r\n", b"\xff\xfeh\x00"], ids=["missing", "empty", "blank", "utf16"])
def test_a_password_file_must_hold_a_password(
    content: bytes | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    message = problems_of(monkeypatch, USERNAME="norce", PASSWORD_FILE=str(tmp_path / "secret"))
    assert "RECEIVER_PASSWORD_FILE" in message


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_way_to_write_postgresql_means_psycopg2(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch, DATABASE_URL=f"{scheme}://receiver@db/orders")
    assert read_settings().database_url == "postgresql+psycopg2://receiver@db/orders"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///", "postgresql+psycopg://db", "x", ""])
def test_a_database_that_would_forget_or_does_not_exist_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch, DATABASE_URL=url)
    if not url:
        assert read_settings().database_url == "sqlite:///receiver.db"
        return
    assert "RECEIVER_DATABASE_URL" in problems_of(monkeypatch)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://orders.example.com", "https://orders.example.com/OrderNotificationService.svc"),
        ("https://orders.example.com/norce/", "https://orders.example.com/norce/OrderNotificationService.svc"),
    ],
)
def test_the_public_url_is_where_callers_go(url: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch, PUBLIC_URL=url)
    assert read_settings().service_address == address


def test_the_settings_do_not_show_the_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    set_credentials(monkeypatch, PREVIOUS_PASSWORD="gammalt")
    shown = repr(read_settings())
    assert "hemligt" not in shown
    assert "gammalt" not in shown


def test_the_command_lists_every_setting(tmp_path: Path) -> None:
    done = run_command("settings", folder=tmp_path, COLUMNS="200", **CREDENTIALS)
    assert done.returncode == 0, done.stderr
    for name, _, _ in described():
        assert name in done.stdout
