"""The newest head goes out by mail each day, where the settings name an address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from composition import history as composed
from core.config import Settings, SettingsError, load_settings
from core.db import Database
from core.deliveries.delivering import channels, deliver_due
from core.gateways import mail
from core.gateways.opening import open_mail
from core.gateways.outside import Outside
from tests.command_line import command_line
from tests.conftest import DATA_KEY
from tests.smtp_double import MailServerOfTests, mail_server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServerOfTests]:
    monkeypatch.setattr(mail, "_OUTSIDE", Outside("mail", seconds=30, places=1))
    with mail_server() as double:
        yield double


def mailed(settings: Settings, port: int) -> Settings:
    return settings.model_copy(
        update={
            "history_mail_to": "archive@example.com", "mail_from": "server@example.com", "smtp_host": "127.0.0.1",
            "smtp_port": port, "smtp_security": "none",
        }
    )  # fmt: skip


def test_a_mail_holds_the_newest_head_and_will_do_to_verify_by(
    database: Database, settings: Settings, server: MailServerOfTests, tmp_path: Path
) -> None:
    asked = mailed(settings, server.port)
    assert composed.mail_head(database, asked) == 0  # nothing is sealed yet
    (*_, newest) = composed.seal(database, settings)
    assert composed.mail_head(database, settings) == 0  # nobody is named
    assert composed.mail_head(database, asked) == 1
    assert deliver_due(database, channels(open_mail(asked))) == 1
    (letter,) = server.mails
    assert (letter["To"], letter["From"]) == ("archive@example.com", "server@example.com")
    text = letter.get_content()
    assert f"{newest.no} " in text and newest.head in text and "夜间核对尚未进行" in text
    kept = tmp_path / "mail.eml"
    kept.write_bytes(text.encode())
    with command_line(settings) as run:
        assert "完整" in run("history", "verify", "--head", kept).stdout


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
