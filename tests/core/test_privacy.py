"""Personal data: nothing readable in the database, nothing readable with another key, masks for the eye."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, text

from accounts.models import AccountApplication, User
from core import privacy
from core.db import Database
from core.keys import keyring
from tests.conftest import DATA_KEY
from tests.newcomers import MOBILE, apply
from tests.people import PASSWORD, Person, with_problem
from tests.records import save, submit

OTHER_KEY = "the key of another installation, long enough"
CONTACT = "13911112222"


@pytest.fixture(autouse=True)
def _keys() -> Iterator[None]:
    privacy.install(DATA_KEY)
    yield
    privacy.install(DATA_KEY)


@pytest.mark.parametrize("plain", ["13800000001", "", "天宁区", "𬭊䶮", "x" * 10_000, "enc1:not really"])
def test_what_is_sealed_comes_back_and_looks_different_each_time(plain: str) -> None:
    first, second = privacy.seal(plain), privacy.seal(plain)
    assert first != second and privacy.unseal(first) == privacy.unseal(second) == plain
    assert not plain or plain not in first


def test_another_key_opens_nothing() -> None:
    sealed = privacy.seal(MOBILE)
    privacy.install(OTHER_KEY)
    with pytest.raises(InvalidTag):
        privacy.unseal(sealed)


def test_a_changed_cipher_text_opens_to_nothing_rather_than_to_something_else() -> None:
    raw = bytearray(base64.b64decode(privacy.seal(MOBILE).removeprefix(privacy.SEALED)))
    for place in (0, 12, len(raw) - 1):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(InvalidTag):
            privacy.unseal(privacy.SEALED + base64.b64encode(changed).decode())


def test_a_keyed_hash_finds_the_same_and_depends_on_the_key_and_on_where_its_parts_end() -> None:
    ours = privacy.keyed_hash("mobile", MOBILE)
    assert ours == privacy.keyed_hash("mobile", MOBILE) and re.fullmatch(r"[0-9a-f]{64}", ours)
    assert privacy.keyed_hash("ab", "c") != privacy.keyed_hash("a", "bc")
    privacy.install(OTHER_KEY)
    assert privacy.keyed_hash("mobile", MOBILE) != ours


def test_nothing_is_sealed_or_hashed_before_the_keys_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = privacy.seal(MOBILE)
    monkeypatch.setattr(keyring._Installed, "ring", None)
    for use in (lambda: privacy.seal(MOBILE), lambda: privacy.unseal(sealed), lambda: privacy.keyed_hash(MOBILE)):
        with pytest.raises(RuntimeError, match="install"):
            use()


@pytest.mark.parametrize(
    ("whole", "masked"),
    [("13800000001", "138****0001"), ("0519-88888888", "****8888"), ("110", "****"), ("", ""), (None, None)],
)
def test_a_telephone_number_is_masked(whole: str | None, masked: str | None) -> None:
    assert privacy.mask_phone(whole) == masked


@pytest.mark.parametrize(
    ("whole", "masked"),
    [
        ("110101199003070011", "110101********0011"),
        ("110101900307001", "110101********7001"),
        ("12", "****"),
        (None, None),
    ],
)
def test_a_resident_identity_number_is_masked(whole: str | None, masked: str | None) -> None:
    assert privacy.mask_resident_id(whole) == masked


def everything_stored(database: Database, dialect: str) -> bytes:
    """All that someone who holds a copy of the database can read."""
    if dialect == "sqlite":
        path = Path(database.engine.url.database or "")
        return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))
    dumped = []
    with database.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            dumped += connection.scalars(text(f'SELECT CAST(t AS text) FROM "{table}" AS t')).all()
    return "\n".join(dumped).encode()


@pytest.mark.usefixtures("clock")
def test_no_mobile_number_and_no_password_can_be_read_in_the_database(
    client: FlaskClient, database: Database, dialect: str, county_inspector: Person, city_reviewer: Person
) -> None:
    made = apply(client, mobile=MOBILE, unit_name="读得出来的单位")
    city_reviewer.post(f"/account-applications/{made['id']}/approve", {})
    body = with_problem({"7.1": "in_progress"}, contact_tel=CONTACT, org_name="读得出来的企业")
    record = submit(county_inspector, body)
    save(county_inspector, {**body, "org_name": "读得出来的草稿"})
    corrected = {**body, "remark": "更正", "reason": "漏填", "version": record["version"]}
    assert county_inspector.put(f"/inspections/{record['id']}/correction", corrected).status_code == 200
    stored = everything_stored(database, dialect)
    for readable in ("读得出来的单位", "读得出来的企业"):  # the search itself would find something
        assert readable.encode() in stored or readable.encode("unicode_escape") in stored
    for secret in (MOBILE, CONTACT, "Xin-Min-2026", PASSWORD, county_inspector.token):
        assert secret.encode() not in stored, secret
        assert base64.b64encode(secret.encode()) not in stored, secret


def test_an_encrypted_column_is_clear_in_python_and_sealed_in_the_table(
    client: FlaskClient, database: Database
) -> None:
    apply(client)
    with database.read() as session:
        assert session.scalar(select(AccountApplication.mobile)) == MOBILE
        assert session.scalar(select(User.mobile).where(User.username == "zhonglou_li")) == MOBILE
        for table in ("account_applications", "users"):
            raw = session.scalar(text(f"SELECT mobile FROM {table} WHERE mobile IS NOT NULL"))
            assert raw.startswith(privacy.SEALED) and privacy.unseal(raw) == MOBILE


def test_with_the_key_of_another_installation_the_database_stays_shut(client: FlaskClient, database: Database) -> None:
    apply(client)
    privacy.install(OTHER_KEY)
    with database.read() as session, pytest.raises(InvalidTag):
        session.scalar(select(AccountApplication.mobile))
