"""Personal data: nothing readable in the database, nothing readable with another key, masks for the eye."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import StatementError

from accounts.models import AccountApplication, User
from core import masking, privacy
from core.db import Database
from core.keys import keyring
from inspection.models import Inspection
from tests.conftest import DATA_KEY
from tests.newcomers import MOBILE, apply, join
from tests.people import PASSWORD, Person, with_problem
from tests.records import save, submit

OTHER_KEY = "the key of another installation, long enough"
CONTACT = "13911112222"
ROW = UUID(int=1)
HERE = privacy.place("users", "mobile", ROW)


@pytest.fixture(autouse=True)
def _keys() -> Iterator[None]:
    privacy.install(DATA_KEY)
    yield
    privacy.install(DATA_KEY)


@pytest.mark.parametrize("plain", ["13800000001", "", "天宁区", "𬭊䶮", "x" * 10_000, "enc1:not really"])
def test_what_is_sealed_comes_back_and_looks_different_each_time(plain: str) -> None:
    first, second = privacy.seal_for(plain, HERE), privacy.seal_for(plain, HERE)
    assert first != second and privacy.unseal_for(first, HERE) == privacy.unseal_for(second, HERE) == plain
    assert not plain or plain not in first


def test_another_key_opens_nothing() -> None:
    sealed, before = privacy.seal_for(MOBILE, HERE), privacy.seal(MOBILE)
    privacy.install(OTHER_KEY)
    for kept in (sealed, before):
        with pytest.raises(privacy.Unopened):
            privacy.unseal_for(kept, HERE)


def test_a_changed_cipher_text_opens_to_nothing_rather_than_to_something_else() -> None:
    name, _, content = privacy.seal_for(MOBILE, HERE).rpartition(":")
    raw = bytearray(base64.b64decode(content))
    for at in (0, 12, len(raw) - 1):
        changed = bytearray(raw)
        changed[at] ^= 1
        with pytest.raises(privacy.Unopened):
            privacy.unseal_for(f"{name}:{base64.b64encode(changed).decode()}", HERE)


def test_a_cipher_text_names_its_key_and_opens_in_its_own_place_only() -> None:
    sealed = privacy.seal_for(MOBILE, HERE)
    assert privacy.key_of(sealed) == "1"
    there = UUID(int=2)
    for elsewhere in (
        privacy.place("users", "mobile", there), privacy.place("users", "full_name", ROW),
        privacy.place("account_applications", "mobile", ROW),
    ):  # fmt: skip
        with pytest.raises(privacy.Unopened):
            privacy.unseal_for(sealed, elsewhere)
    with pytest.raises(privacy.Unopened):
        privacy.unseal_for(sealed.replace("enc2:1:", "enc2:7:"), HERE)


def test_what_an_earlier_release_sealed_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    assert privacy.unseal_for(privacy.seal(MOBILE), HERE) == MOBILE
    assert privacy.key_of(privacy.seal(MOBILE)) == "0"


def test_a_keyed_hash_finds_the_same_and_depends_on_the_key_and_on_where_its_parts_end() -> None:
    ours = privacy.keyed_hash("mobile", MOBILE)
    assert ours == privacy.keyed_hash("mobile", MOBILE) and re.fullmatch(r"[0-9a-f]{64}", ours)
    assert privacy.keyed_hash("ab", "c") != privacy.keyed_hash("a", "bc")
    privacy.install(OTHER_KEY)
    assert privacy.keyed_hash("mobile", MOBILE) != ours


def test_nothing_is_sealed_or_hashed_before_the_keys_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = privacy.seal_for(MOBILE, HERE)
    monkeypatch.setattr(keyring._Installed, "ring", None)
    for use in (
        lambda: privacy.seal_for(MOBILE, HERE), lambda: privacy.unseal_for(sealed, HERE),
        lambda: privacy.keyed_hash(MOBILE),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match="install"):
            use()


@pytest.mark.parametrize(
    ("whole", "masked"),
    [("13800000001", "138****0001"), ("0519-88888888", "****8888"), ("110", "****"), ("", ""), (None, None)],
)
def test_a_telephone_number_is_masked(whole: str | None, masked: str | None) -> None:
    assert masking.mask_phone(whole) == masked


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
    assert masking.mask_resident_id(whole) == masked


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


@pytest.mark.usefixtures("clock")
def test_an_encrypted_column_is_clear_in_python_and_sealed_in_the_table(
    client: FlaskClient, database: Database, city_reviewer: Person
) -> None:
    join(client, city_reviewer)
    with database.read() as session:
        assert session.scalar(select(AccountApplication.mobile)) == MOBILE
        assert session.scalar(select(User.mobile).where(User.username == "zhonglou_li")) == MOBILE
        for table in ("account_applications", "users"):
            raw, row = session.execute(text(f"SELECT mobile, id FROM {table} WHERE mobile IS NOT NULL")).one()
            row = privacy.place(table, "mobile", UUID(str(row)))
            assert raw.startswith(privacy.NAMED) and privacy.unseal_for(raw, row) == MOBILE


@pytest.mark.usefixtures("clock")
def test_a_number_that_was_moved_to_the_row_of_another_person_does_not_open(
    client: FlaskClient, database: Database, city_reviewer: Person
) -> None:
    join(client, city_reviewer, username="zhang_one", mobile="13800000001")
    join(client, city_reviewer, username="li_two", mobile="13900000002")
    with database.write() as session:
        session.execute(
            text(
                "UPDATE users SET mobile = (SELECT mobile FROM users WHERE username = 'zhang_one')"
                " WHERE username = 'li_two'"
            )
        )
    with database.read() as session:
        assert session.scalar(select(User.mobile).where(User.username == "zhang_one")) == "13800000001"
        for asked in (select(User.mobile), select(User)):
            with pytest.raises(privacy.Unopened):
                session.scalar(asked.where(User.username == "li_two"))


@pytest.mark.usefixtures("clock")
def test_a_contact_that_was_moved_to_another_record_or_field_does_not_open(
    database: Database, county_inspector: Person
) -> None:
    one, two = (
        submit(county_inspector, with_problem({"7.1": "in_progress"}, contact_tel=number, check_date=day))
        for number, day in ((CONTACT, "2026-11-20"), ("13911113333", "2026-11-19"))
    )
    with database.write() as session:
        records = [session.get_one(Inspection, UUID(made["id"])) for made in (one, two)]
        records[1].data = {**records[1].data, "contact_tel": records[0].data["contact_tel"]}
    assert county_inspector.get(f"/inspections/{one['id']}").json["contact_tel"] == CONTACT
    answer = county_inspector.get(f"/inspections/{two['id']}")
    assert answer.status_code == 500 and CONTACT not in answer.get_data(as_text=True)


def test_a_text_that_was_given_without_its_row_is_not_stored(database: Database) -> None:
    with database.write() as session, pytest.raises(StatementError, match=r"users\.mobile"):
        session.execute(update(User).values(mobile=MOBILE))


def test_with_the_key_of_another_installation_the_database_stays_shut(client: FlaskClient, database: Database) -> None:
    apply(client)
    privacy.install(OTHER_KEY)
    with database.read() as session, pytest.raises(privacy.Unopened):
        session.scalar(select(AccountApplication.mobile))
