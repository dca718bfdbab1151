"""A kind opened in bulk for the enterprises that match a filter."""

from datetime import date
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, update

from accounts.models import Region
from core.models import Todo
from enterprise.filings.many import campaigns
from enterprise.filings.models import Filing
from enterprise.filings.steps.opening import open_for_all
from enterprise.models import Enterprise
from tests.enterprise.filings.desk import Desk
from tests.enterprise.filings.invented import campaign
from tests.newcomers import at_once
from tests.parties import Parties


def open_campaign(desk: Desk, **kwargs: Any) -> int:
    with desk.database.write() as session:
        in_county = session.scalars(select(Enterprise).where(Enterprise.area1 == "320000").order_by(Enterprise.uscc))
        kind = desk.engine.kinds["invented_campaign"]
        return open_for_all(session, desk.engine, kind, in_county.all(), actor=desk.officers[0], **kwargs)


def test_a_campaign_is_opened_for_all_that_match_a_filter_within_reach_and_never_twice(
    desk: Desk, parties: Parties
) -> None:
    desk.declare(campaign())
    due_on = date(2099, 1, 1)
    assert open_campaign(desk, title="虚构专项自查 2026", due_on=due_on) == 2  # the one in 南京 is beyond scope
    assert open_campaign(desk, title="虚构专项自查 2026", due_on=due_on) == 0
    mine = parties.enterprise.get("/filings?kind=invented_campaign").json["items"]
    assert [(row["title"], row["due_on"], row["status"]) for row in mine] == [
        ("虚构专项自查 2026", "2099-01-01", "to_fill")
    ]
    assert [todo["due_on"] for todo in parties.enterprise.get("/todos").json["items"]] == ["2099-01-01"]


def test_two_campaigns_of_a_kind_of_which_one_may_be_open_give_each_enterprise_one(desk: Desk) -> None:
    desk.declare(campaign())
    for number in range(5):
        with desk.database.write() as session:
            session.execute(update(Filing).values(open_key=None))
        titles = (f"春季自查 {number}", f"秋季自查 {number}")
        assert sum(at_once(*(partial(open_campaign, desk, title=title) for title in titles))) == 2


def test_a_campaign_that_two_open_at_once_makes_no_doubles(desk: Desk) -> None:
    desk.declare(campaign())
    assert sum(at_once(*[lambda: open_campaign(desk)] * 4)) == 2
    with desk.database.read() as session:
        opened = select(func.count()).select_from(Filing).where(Filing.kind == "invented_campaign")
        assert session.scalar(opened) == 2
        assert session.scalar(select(func.count()).select_from(Todo).where(Todo.title.like("专项自查%"))) == 2


def test_a_campaign_is_opened_in_small_transactions(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.declare(campaign())
    monkeypatch.setattr(campaigns, "_BATCH", 1)
    with desk.database.read() as session:
        region = session.get_one(Region, "320000")
        enterprises = session.scalar(select(func.count()).select_from(Enterprise).where(Enterprise.area1 == "320000"))
    kind = desk.engine.kinds["invented_campaign"]
    ordered = campaigns.Campaign(kind, region, None, "虚构专项自查", None, region.name)
    told: list[int] = []
    opened = campaigns.run(
        desk.database, desk.engine, ordered, dry=False, progress=lambda done, _all: told.append(done)
    )
    assert opened.opened == opened.matched == enterprises
    assert told == list(range(1, opened.matched + 1)) and len(told) >= 2
