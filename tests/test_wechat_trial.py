"""The double of WeChat that can be tried beside a demo: never in production, never beside real users."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from cli import wechat_trial
from core.config import Settings, SettingsError, load_settings
from core.db import Database
from core.gateways.wechat import WeChat
from tests.problems import ONE_DATABASE
from tests.wechat_double import APP_KEY

PRODUCTION = {
    "ENVIRONMENT": "production", "DATABASE_URL": "sqlite:///there.sqlite3", "DATA_KEY": "k" * 32,
    "METRICS_TOKEN": "m" * 32, "PUBLIC_URL": "https://example.org",
}  # fmt: skip


@pytest.mark.parametrize(
    "setting",
    [PRODUCTION, {"DEMO": "0"}, {"HOST": "0.0.0.0"}, {"WECHAT_APPID": "wx1", "WECHAT_SECRET": APP_KEY}],
)
def test_it_is_refused_in_production_without_a_demo_and_for_other_machines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: dict[str, str]
) -> None:
    for name, value in {"DATA_DIR": str(tmp_path), "WECHAT_DOUBLE": "1", **setting}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="WECHAT_DOUBLE"):
        load_settings()


def test_production_talks_to_wechat_only_encrypted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**PRODUCTION, "DATA_DIR": str(tmp_path), "WECHAT_BASE_URL": "http://127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="WECHAT_BASE_URL"):
        load_settings()


@ONE_DATABASE
def test_it_is_refused_beside_users_who_are_not_of_the_demo(settings: Settings) -> None:
    database = Database(settings.resolved_database_url)
    with pytest.raises(SettingsError, match="users beside"):
        wechat_trial.start(settings, database)
    database.dispose()


def test_it_is_refused_in_production_whatever_started_it(settings: Settings) -> None:
    database = Database(settings.resolved_database_url)
    with pytest.raises(SettingsError, match="WECHAT_DOUBLE"):
        wechat_trial.start(settings.model_copy(update={"environment": "production"}), database)
    database.dispose()


def test_it_stands_in_for_wechat_with_people_by_name_and_for_the_developer_tools(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import json
    import urllib.request

    monkeypatch.setattr(wechat_trial, "has_other_users", lambda _database: False)
    settings = Settings(data_dir=tmp_path, data_key=SecretStr("k" * 32))
    address = wechat_trial.start(settings, Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}"))
    with urllib.request.urlopen(f"{address}/double/code?person=jia", timeout=10) as answer:
        code = json.load(answer)["code"]
    wechat = WeChat(settings.wechat_appid, settings.wechat_secret.get_secret_value(), settings.wechat_base_url)
    assert wechat.code_to_session(code).openid == "double-jia"
    for _ in range(2):
        assert wechat.code_to_session("the code is a mock one").openid == "double-devtools"
