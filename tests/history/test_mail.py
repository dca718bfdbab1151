"""The newest head goes out by mail each day, where the settings name an address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from composition import history as composed
from core.config import Settings, SettingsError, load_settings
from core.db import Database
from core.gateways import mail
from core.gateways.mail import NotSent
from core.gateways.outside import Outside
from tests.command_line import command_line
from tests.conftest import DATA_KEY
from tests.silent_services import SilentService
from tests.smtp_double import MailDouble, mail_server


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailDouble]:
    monkeypatch.setattr(mail, "_OUTSIDE", Outside("mail", seconds=30, places=1))
    with mail_server() as server:
        yield server


def mailed(settings: Settings, port: int) -> Settings:
    return settings.model_copy(
        update={
            "history_mail_to": "archive@example.com", "mail_from": "server@example.com", "smtp_host": "127.0.0.1",
            "smtp_port": port, "smtp_security": "none",
        }
    )  # fmt: skip


def test_a_mail_holds_the_newest_head_and_will_do_to_verify_by(
    database: Database, settings: Settings, double: MailDouble, tmp_path: Path
) -> None:
    asked = mailed(settings, double.port)
    assert composed.mail_head(database, asked) == 0  # nothing is sealed yet
    (*_, newest) = composed.seal(database, settings)
    assert composed.mail_head(database, settings) == 0  # nobody is named
    assert composed.mail_head(database, asked) == 1
    (letter,) = double.mails
    assert (letter["To"], letter["From"]) == ("archive@example.com", "server@example.com")
    text = letter.get_content()  # type: ignore[union-attr]
    assert f"{newest.no} " in text and newest.head in text and "夜间核对尚未进行" in text
    kept = tmp_path / "mail.eml"
    kept.write_bytes(text.encode())
    with command_line(settings) as run:
        assert "完整" in run("history", "verify", "--head", kept).stdout


def test_a_mail_that_is_refused_is_a_failure_that_the_scheduler_tries_again(
    database: Database, settings: Settings, double: MailDouble
) -> None:
    composed.seal(database, settings)
    double.refusing = True
    with pytest.raises(NotSent, match="Refused"):
        composed.mail_head(database, mailed(settings, double.port))


def test_a_mail_server_that_never_answers_is_given_up(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed.seal(database, settings)
    monkeypatch.setattr(mail, "_OUTSIDE", Outside("mail", seconds=0.5, places=1))
    with pytest.raises(NotSent, match="TooSlow"):
        composed.mail_head(database, mailed(settings, SilentService().port))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"HISTORY_MAIL_TO": "a@example.com"}, "SMTP_HOST"),
        ({"HISTORY_MAIL_TO": "a@example.com", "SMTP_HOST": "mail", "MAIL_FROM": "b"}, "MAIL_FROM must be one mail"),
        (
            {"HISTORY_MAIL_TO": "a@example.com", "SMTP_HOST": "mail", "MAIL_FROM": "b@example.com",
             "SMTP_USERNAME": "b", "SMTP_SECURITY": "none"},
            "SMTP_SECURITY",
        ),
    ],
)  # fmt: skip
def test_mail_that_is_set_up_by_half_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, values: dict[str, str], told: str
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATA_KEY", DATA_KEY)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=told):
        load_settings()
