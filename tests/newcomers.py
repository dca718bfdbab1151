"""People who are not there yet: what applicants fill in, users made on the spot, and calls at one moment."""

import functools
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from accounts import offices, operations
from accounts.models import OfficeKind, Region
from accounts.sign_in import passwords
from accounts.verbs import DEFAULT_ROLES, Role
from core.db import Database
from tests.people import PASSWORD, Person
from tests.turns import in_turn

MOBILE = "13800000001"

APPLICATION: dict[str, Any] = {
    "applicant_name": "李四",
    "unit_name": "常州市钟楼区市场监督管理局",
    "region_code": "320404",
    "mobile": MOBILE,
    "username": "zhonglou_li",
    "password": "Xin-Min-2026",
}

COUNTY_BELOW_A_PROVINCE = "429004"  # 仙桃市
COUNTY_BELOW_A_MUNICIPALITY = "500151"  # 铜梁区
ABOLISHED = "500105"  # 江北区, until 2025-11-06


def application_body(**changes: Any) -> dict[str, Any]:
    """What an applicant of 钟楼区 fills in, changed."""
    return {**APPLICATION, **changes}


def apply(client: FlaskClient, **changes: Any) -> dict[str, Any]:
    """Apply for an account; returns `{id, status, query_code}`."""
    answer = client.post("/api/v1/account-applications", json=application_body(**changes))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert answer.json is not None
    return dict(answer.json)


def join(client: FlaskClient, reviewer: Person, **changes: Any) -> None:
    """Apply for an account and be approved by `reviewer`: the user stands in the table then."""
    made = apply(client, **changes)
    answer = reviewer.post(f"/account-applications/{made['id']}/approve", {})
    assert answer.status_code == 200, answer.get_data(as_text=True)


def try_sign_in(client: FlaskClient, username: str, password: str, **kwargs: Any) -> TestResponse:
    """One attempt to sign in, whatever comes of it; `address` stands for the caller's."""
    address = kwargs.pop("address", "127.0.0.1")
    body = {"username": username, "password": password, **kwargs.pop("body", {})}
    return client.post("/api/v1/sessions", json=body, environ_base={"REMOTE_ADDR": address}, **kwargs)


@functools.cache
def password_hash() -> str:
    """Of `PASSWORD`, hashed once."""
    return passwords.hash_password(PASSWORD)


def make_user(
    database: Database, code: str, username: str, *roles: Role, mobile: str | None = None, one_time: bool = False
) -> UUID:
    """A user at the bureau of a region, with the roles given or those that its level brings."""
    with database.write() as session:
        region = session.get_one(Region, code)
        return operations.create_user(
            session, offices.bureau_of(session, region), username, password_hash(),
            list(roles or DEFAULT_ROLES[region.level]), must_change_password=one_time, mobile=mobile,
        )  # fmt: skip


def make_users(database: Database, people: Mapping[str, tuple[str, Role]]) -> None:
    """Users by name, each at the bureau of a region and with one role, in one transaction."""
    with database.write() as session:
        for username, (code, role) in people.items():
            office = offices.bureau_of(session, session.get_one(Region, code))
            operations.create_user(session, office, username, password_hash(), [role], must_change_password=False)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Make all calls at the same moment, each in a thread of its own; returns their answers in order.

    Raises what one of them raised: an answer that never came must not be taken for one.
    """
    answers: list[Any] = [None] * len(calls)
    raised: list[BaseException] = []
    barrier = threading.Barrier(len(calls))

    def run(number: int) -> None:
        barrier.wait()
        try:
            answers[number] = calls[number]()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    with in_turn() if len(threads) > 8 else nullcontext():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if raised:
        raise raised[0]
    return answers


def code_of(answer: TestResponse) -> tuple[int, str]:
    """Status and problem code of a refusal."""
    assert answer.json is not None, answer.get_data(as_text=True)
    return answer.status_code, answer.json["code"]


def make_station(database: Database, code: str, username: str, *roles: Role) -> None:
    """A station (市场监管所) below the bureau of a county, with a user."""
    with database.write() as session:
        station = offices.create_office(
            session, f"{username}所", OfficeKind.STATION, session.get_one(Region, code), None
        )
        operations.create_user(session, station, username, password_hash(), list(roles), must_change_password=False)
