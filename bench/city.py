"""The city in which is measured: 常州 (320400) with its counties, a signed-in inspector each, and 2 000 enterprises."""

import contextlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from apiflask import APIFlask
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from accounts import offices, operations
from accounts.models import Region
from accounts.sign_in.sessions import SessionPolicy, begin
from accounts.verbs import DEFAULT_ROLES
from app import create_app
from bench.databases import Place
from bench.server import DATA_KEY
from cli import preparation
from core import privacy
from core.config import Settings
from core.db import Database
from core.identifiers import make_uscc
from core.origin import Origin
from enterprise.filings.operations import follow_enterprise
from enterprise.operations import EnterpriseFacts, put_enterprises
from miniapp_api.http.wiring import KEY

CITY = "320400"
ENTERPRISES = 2000
COMMON, COMMON_LONG = "电缆", "有限公司"
RARE, RARE_LONG = "骞鹭", "骞鹭电缆"
SOME, MORE = "沁苑", "朔祺"
ABSENT, ABSENT_LONG, ABSENT_PAIRS_KNOWN = "龘靐", "龘靐电缆", "沁苑沁苑"
"""Search terms by the names that contain them: three in four, all; one name, one name; 1 in 150, 1 in 20; none.
Each pair of characters of `ABSENT_PAIRS_KNOWN` occurs in some name, the whole term in none."""

_FIRST = "明达华盛恒瑞金远安泰宏宇东方亚光通利鑫源"
_SECOND = "诚信兴隆康宁丰业联创科技新锐江南太湖天成"


@dataclass(frozen=True, slots=True)
class Seat:
    """An inspector's office and a session there."""

    username: str
    region_code: str
    area3: str | None
    token: str


@dataclass(frozen=True, slots=True)
class City:
    """The city. `counties` has an inspector per county; enterprise `n` belongs to county `n % len(counties)`."""

    reviewer: Seat
    counties: list[Seat]
    enterprises: list[EnterpriseFacts]


def name_of(number: int) -> str:
    """The name of an enterprise; the search terms occur with the frequencies given above."""
    if number == 777:
        given = RARE
    elif number % 150 == 11:
        given = SOME
    elif number % 150 == 12:
        given = "苑沁"
    elif number % 20 == 7:
        given = MORE
    else:
        given = _FIRST[number % 20] + _SECOND[number // 20 % 20]
    trade = "电线" if number % 4 == 3 else COMMON
    return f"常州市{given}{trade}{COMMON_LONG}"


def settings(place: Place) -> Settings:
    """Settings of an installation on that database, the same as in the environment of `bench.server`."""
    return Settings(
        database_url=place.url, data_dir=place.folder, data_key=SecretStr(DATA_KEY), log_level="ERROR",
        environment="installation", demo=False,
    )  # fmt: skip


def found(place: Place) -> City:
    """Migrate the empty database and fill it with users and enterprises, without records."""
    privacy.install(DATA_KEY)
    database = Database(place.url)
    with contextlib.redirect_stdout(io.StringIO()):
        preparation.prepare(settings(place), database)
    with database.read() as session:
        codes = session.scalars(select(Region.code).where(Region.parent_code == CITY).order_by(Region.code)).all()
    with database.write() as session:
        reviewer = _seat(session, "city_reviewer", CITY)
        counties = [_seat(session, f"inspector_{code}", code) for code in codes]
    enterprises: list[EnterpriseFacts] = [
        {
            "uscc": make_uscc(f"91320400MA{number:07d}"),
            "name": name_of(number),
            "region_code": counties[number % len(counties)].region_code,
            "address": f"常州市某区某路{number}号",
            "production_address": f"常州市某区某工业园{number}号",
            "product_codes": ["06"],
        }
        for number in range(ENTERPRISES)
    ]
    for start in range(0, ENTERPRISES, 500):
        with database.write() as session:
            put_enterprises(session, enterprises[start : start + 500], source="imported", on_move=follow_enterprise)
    database.dispose()
    return City(reviewer, counties, enterprises)


def _seat(session: Session, username: str, code: str) -> Seat:
    region = session.get_one(Region, code)
    office_id = offices.bureau_of(session, region)
    roles = list(DEFAULT_ROLES[region.level])
    # The session is made without a sign-in by password, whose hash takes 26 ms and is not to be measured.
    user_id = operations.create_user(session, office_id, username, "-", roles, must_change_password=False)
    token = session_of(session, user_id)
    return Seat(username, code, region.area3, token)


def session_of(session: Session, user_id: UUID) -> str:
    """The token of a session made without a sign-in, whose captcha and hash are not to be measured."""
    day = timedelta(days=1)
    return begin(session, SessionPolicy(day, day), user_id, "张三", Origin("127.0.0.1", "127.0.0.1"), "bench").token


@contextmanager
def application(place: Place) -> Iterator[tuple[APIFlask, Database]]:
    """The application in this process, over that database."""
    app = create_app(settings(place))
    database: Database = app.extensions[KEY].database
    try:
        yield app, database
    finally:
        database.dispose()
