"""An idempotency key tells a write that is sent again from a new one."""

from uuid import uuid4

import pytest

from core import privacy
from core.db import Database
from core.keys import keyring
from core.keys.keyring import PURPOSES, Key, Keyring
from core.workflows import idempotency
from tests.conftest import DATA_KEY
from tests.newcomers import at_once

USER, SUBJECT = uuid4(), uuid4()
BODY = {"version": 2, "org_name": "某某电缆", "answers": {"1.1": "yes", "1.2": "no"}}


@pytest.fixture(autouse=True)
def _keys() -> None:
    privacy.install(DATA_KEY)


def test_the_same_call_has_the_same_key_however_its_names_are_ordered() -> None:
    turned = {"answers": {"1.2": "no", "1.1": "yes"}, "org_name": "某某电缆", "version": 2}
    assert idempotency.key(USER, "save", SUBJECT, BODY) == idempotency.key(USER, "save", SUBJECT, turned)
    assert idempotency.key(USER, "save", SUBJECT, BODY) == idempotency.key(USER, "save", str(SUBJECT), BODY)


def test_confirming_a_duplicate_is_the_same_write() -> None:
    confirmed = {**BODY, "confirm_duplicate": True}
    assert idempotency.key(USER, "submit", SUBJECT, BODY) == idempotency.key(USER, "submit", SUBJECT, confirmed)


def test_another_user_call_subject_version_or_text_is_another_write() -> None:
    keys = [
        idempotency.key(USER, "save", SUBJECT, BODY),
        idempotency.key(uuid4(), "save", SUBJECT, BODY),
        idempotency.key(USER, "submit", SUBJECT, BODY),
        idempotency.key(USER, "save", uuid4(), BODY),
        idempotency.key(USER, "save", SUBJECT, {**BODY, "version": 3}),
        idempotency.key(USER, "save", SUBJECT, {**BODY, "version": "2"}),
        idempotency.key(USER, "save", SUBJECT, {**BODY, "org_name": "某某电缆 "}),
        idempotency.key(USER, "save", SUBJECT, {k: v for k, v in BODY.items() if k != "version"}),
        idempotency.key(USER, "save", SUBJECT, {**BODY, "remark": None}),
    ]
    assert len(set(keys)) == len(keys) and {len(key) for key in keys} == {32}


def test_a_key_tells_nothing_to_whoever_lacks_the_key_of_the_installation() -> None:
    ours = idempotency.key(USER, "save", SUBJECT, BODY)
    privacy.install("the key of another installation, long enough")
    assert idempotency.key(USER, "save", SUBJECT, BODY) != ours


def test_a_key_is_claimed_once(database: Database) -> None:
    key = idempotency.key(USER, "save", SUBJECT, BODY)
    with database.write() as session:
        assert idempotency.is_claimed(session, key) is False
        assert idempotency.claim(session, key) is True
    with database.write() as session:
        assert idempotency.claim(session, key) is False
        assert idempotency.is_claimed(session, key) is True


def test_a_write_that_fails_gives_its_key_back(database: Database) -> None:
    key = idempotency.key(USER, "save", SUBJECT, BODY)

    def fail() -> None:
        with database.write() as session:
            idempotency.claim(session, key)
            raise RuntimeError("the write fails")

    with pytest.raises(RuntimeError):
        fail()
    with database.write() as session:
        assert idempotency.claim(session, key) is True


def test_of_many_who_claim_one_key_at_the_same_moment_one_gets_it(database: Database) -> None:
    key = idempotency.key(USER, "save", SUBJECT, BODY)

    def take() -> bool:
        with database.write() as session:
            return idempotency.claim(session, key)

    assert sorted(at_once(*[take] * 8)) == [False] * 7 + [True]


def test_keys_that_earlier_releases_stored_are_made_in_the_same_way() -> None:
    first = keyring.derived(DATA_KEY)
    keys = {purpose: first.all(purpose) for purpose in PURPOSES}
    # As in a database that had some when it got its keys.
    keyring.install(Keyring({**keys, "receipts": [Key("1", first.current("hashing").bytes)]}))
    body = {"answers": {"1": True}, "version": 2, "confirm_duplicate": True}
    stored = privacy.keyed_hash("receipt", str(USER), "save", str(SUBJECT), '{"answers":{"1":true},"version":2}')
    assert idempotency.key(USER, "save", SUBJECT, body) == bytes.fromhex(stored)
