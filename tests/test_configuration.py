"""Settings: production makes nothing up, an installation makes its keys once and for its owner only."""

import multiprocessing
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from cli.commands import cli
from core.config import LEAST_CHARACTERS, Settings, SettingsError, load_settings

LONG_ENOUGH = "a secret for tests of thirty-two characters and more"
SETTINGS = ("ENVIRONMENT", "DATABASE_URL", "DATA_KEY", "METRICS_TOKEN", "DATA_DIR", "DEMO", "PORT", "REDIS_URL")


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


def production(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    values = {
        "DATABASE_URL": "postgresql://db/x", "DATA_KEY": LONG_ENOUGH, "METRICS_TOKEN": LONG_ENOUGH,
        "PUBLIC_URL": "https://haoping.example.gov.cn", **changes,
    }  # fmt: skip
    monkeypatch.setenv("ENVIRONMENT", "production")
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_production_names_every_missing_setting_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production(monkeypatch, DATABASE_URL="", DATA_KEY="", METRICS_TOKEN="", PUBLIC_URL="")
    with pytest.raises(SettingsError, match="DATABASE_URL, DATA_KEY, METRICS_TOKEN, PUBLIC_URL"):
        load_settings()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATA_KEY", "METRICS_TOKEN", "PUBLIC_URL"])
def test_production_refuses_to_serve_without_a_setting(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    production(monkeypatch, **{name: ""})
    answer = CliRunner().invoke(cli, ["serve"])
    assert answer.exit_code == 2
    assert name in answer.stderr
    assert "Traceback" not in answer.output


def test_production_starts_with_everything_and_makes_no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    production(monkeypatch)
    assert load_settings().production
    assert list((tmp_path / "data").iterdir()) == []


def test_every_secret_has_a_least_length() -> None:
    secrets = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}
    assert secrets == LEAST_CHARACTERS.keys()


@pytest.mark.parametrize("name", sorted(LEAST_CHARACTERS))
def test_production_refuses_a_secret_that_can_be_guessed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    production(monkeypatch, **{name.upper(): "x"})
    answer = CliRunner().invoke(cli, ["serve"])
    assert answer.exit_code == 2
    assert name.upper() in answer.stderr and "at least" in answer.stderr and "Traceback" not in answer.output
    assert len(answer.stderr.strip().splitlines()) == 1


def test_production_loads_no_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    production(monkeypatch)
    answer = CliRunner().invoke(cli, ["demo", "load"])
    assert answer.exit_code == 2
    assert "生产环境" in answer.stderr


def test_a_short_key_is_refused_and_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_KEY", "too-short-a-key")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "DATA_KEY" in str(refused.value)
    assert "too-short-a-key" not in str(refused.value)


def test_an_installation_makes_its_key_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first, second = load_settings(), load_settings()
    assert first.data_key.get_secret_value() == second.data_key.get_secret_value()
    assert len(first.data_key.get_secret_value()) >= 32
    data = tmp_path / "data"
    assert [path.name for path in data.iterdir()] == ["data.key"]
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "data.key").stat().st_mode) == 0o600


def test_an_empty_folder_becomes_its_owners_only_and_a_used_one_keeps_its_mode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty, used = tmp_path / "empty", tmp_path / "used"
    for folder in (empty, used):
        folder.mkdir()
        folder.chmod(0o755)
    (used / "something").touch()
    for folder, mode in ((empty, 0o700), (used, 0o755)):
        monkeypatch.setenv("DATA_DIR", str(folder))
        load_settings()
        assert stat.S_IMODE(folder.stat().st_mode) == mode


def _key(_number: int) -> str:
    return load_settings().data_key.get_secret_value()


def test_processes_that_start_at_once_agree_on_one_key() -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        assert len(set(pool.map(_key, range(32)))) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "seventy"), ("PORT", "70000"), ("DEMO", "perhaps"), ("ENVIRONMENT", "test")]
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_a_data_folder_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "file" / "data"))
    with pytest.raises(SettingsError, match="DATA_DIR"):
        load_settings()


@pytest.mark.parametrize("page", ["/pages/rating/form", "pages/rating/form?a=1", "pages/rating/", "页面", ""])
def test_a_page_that_wechat_would_refuse_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setenv("WECHAT_RATING_PAGE", page)
    with pytest.raises(SettingsError, match=r"WECHAT_RATING_PAGE must be .* for example pages/rating/form"):
        load_settings()


@pytest.mark.parametrize("name", ["RATING_ADDRESS_LIMIT", "RATING_ADDRESS_CEILING"])
@pytest.mark.parametrize("limit", ["300", "300 per hour;1000 per day", "viele"])
def test_an_address_limit_that_cannot_be_read_is_named_at_the_start(
    monkeypatch: pytest.MonkeyPatch, limit: str, name: str
) -> None:
    monkeypatch.setenv(name, limit)
    with pytest.raises(SettingsError, match=name):
        load_settings()
