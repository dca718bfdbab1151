"""Ratings in bulk, inserted into the tables directly: the same rows as from forms, without history."""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, select, text

from accounts.models import Office, Region, User
from bench.city import City
from bench.databases import Place
from bench.records import Row, insert_rows
from core import clock, privacy
from core.db import Database
from feedback.codes.catalogue import is_bad, tags_of
from feedback.models import Rating, RatingCode, RatingFollowUp
from feedback.statistics import counts as figures
from feedback.statistics import tallies

MATTERS, DAYS, OPEN = 12, 700, 200
"""Matters per office, days over which ratings are spread, bad ratings whose follow-up is open."""
_LEVELS = (5,) * 60 + (4,) * 25 + (3,) * 10 + (2,) * 3 + (1,) * 2


def fill(place: Place, city: City, count: int) -> None:
    """Insert `count` ratings of the matters of every county's office, spread over two years."""
    database = Database(place.url)
    # COPY bypasses the column type, which encrypts values otherwise.
    sealed = privacy.seal if place.dialect == "postgresql" else str
    name, mobile = sealed("张某某"), sealed("13800000001")
    complaint, praise = sealed("窗口人员业务不熟练"), sealed("办得很快")
    chance = random.Random(count)
    made_codes = list(_codes(database, city))
    sums = tallies.Sums()
    bad: list[Row] = []

    def rows() -> Iterator[Row]:
        today = clock.today()
        for number in range(count):
            code = made_codes[chance.randrange(len(made_codes))]
            level = _LEVELS[chance.randrange(100)]
            ago = number * DAYS // count
            day = today - timedelta(days=ago)
            at = datetime(day.year, day.month, day.day, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(40_000))
            rating_id = uuid.UUID(int=chance.getrandbits(128), version=4)
            tags = [chance.choice(tags_of(level)).code]
            where = figures.Place(
                day, code["office_id"], code["area1"], code["area2"], code["area3"], "qr_once", code["matter_name"],
                code["id"],
            )  # fmt: skip
            sums.add(where, figures.of_rating(level, real_name=True, from_staff=False, tags=tags))
            under_way = is_bad(level) and len(bad) < OPEN
            if is_bad(level):
                bad.append({"rating_id": rating_id, "extended": False, "contacts": 0, "appeal_evidence": []})
            yield {
                "id": rating_id, "code_id": code["id"], "channel": "qr_once", "office_id": code["office_id"],
                "area1": code["area1"], "area2": code["area2"], "area3": code["area3"], "rater_name": name,
                "mobile": mobile, "mobile_tail": f"{chance.randrange(10_000):04d}", "level": level, "tags": tags,
                "comment": complaint if is_bad(level) else praise, "real_name": True,
                "phone_verified": False,
                "from_staff_address": False, "address_key": "0" * 64, "user_agent": "bench", "submission_key": None,
                "query_key": rating_id.hex * 2, "status": "to_verify" if under_way else "closed", "version": 1,
                "publicity": "pending" if under_way else "shown", "public_comment": praise,
                "due_on": day + timedelta(days=7) if is_bad(level) else None, "submitted_at": at,
                "closed_at": None if under_way else at,
            }  # fmt: skip

    insert_rows(database, cast(Table, RatingCode.__table__), made_codes)
    insert_rows(database, cast(Table, Rating.__table__), rows())
    insert_rows(database, cast(Table, RatingFollowUp.__table__), bad)
    with database.write() as session:
        tallies.add_sums(session, sums)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if place.dialect == "postgresql":
            connection.execute(text("VACUUM ANALYZE"))
    database.dispose()


def _codes(database: Database, city: City) -> Iterator[dict[str, Any]]:
    with database.read() as session:
        for seat in city.counties:
            office, region, user = session.execute(
                select(Office, Region, User)
                .join(User, User.office_id == Office.id)
                .join(Region, Region.code == Office.region_code)
                .where(User.username == seat.username)
            ).one()
            for number in range(MATTERS):
                yield {
                    "id": uuid.uuid4(), "kind": "per_visit", "matter_name": f"事项{number}",
                    "folded_matter": f"事项{number}", "org_name": office.name,
                    "window": None, "matter_ref": None, "token": uuid.uuid4().hex, "status": "active", "version": 2,
                    "valid_to": None, "filing_id": None, "enterprise_id": None, "office_id": office.id,
                    "area1": region.area1, "area2": region.area2, "area3": region.area3, "created_by": user.id,
                    "created_at": clock.now(), "generated_at": clock.now(), "scans": 0, "ratings": 0,
                    "last_scan_at": None,
                }  # fmt: skip
