"""Ratings as offices read them over HTTP: who may see what, filters, figures; what the public reads."""

import io
import re
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
import time_machine
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.db import Database
from feedback.models import Rating, RatingCode
from feedback.statistics import tallies
from tests.newcomers import code_of
from tests.people import faults, new_id
from tests.problems import ONE_DATABASE
from tests.raters import BAD, STEPS, Hall, ok

STAFF_ROUTES = ("/ratings", "/ratings/{id}", "/ratings/{id}/history", "/statistics/ratings", "/ratings.csv",
                "/ratings.xlsx", "/statistics/ratings.xlsx")  # fmt: skip


def text_of(answer: TestResponse) -> str:
    """What an answer says, a workbook too."""
    if not answer.mimetype.endswith("spreadsheetml.sheet"):
        return answer.get_data(as_text=True)
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    return "".join(str(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names)


@ONE_DATABASE
def test_no_answer_list_table_or_history_shows_a_number_but_the_step_that_says_so(hall: Hall) -> None:
    rating, anonymous = hall.bad(hall.code(), mobile="13800000001"), hall.bad(hall.code(), real_name=False)
    me = ok(hall.person("handler").get("/me"))["id"]
    paths = ("/ratings", f"/ratings/{rating}", f"/ratings/{rating}/history", f"/ratings/{anonymous}", "/ratings.csv",
             "/ratings.xlsx", "/todos", "/rating-codes", "/statistics/ratings", "/statistics/ratings.xlsx",
             "/ratings/public")  # fmt: skip
    for name in ("officer", "handler", "other_handler", "supervisor"):
        for path in paths:
            text = text_of(hall.person(name).get(path))
            assert not re.search(r"138\d{8}", text), (name, path)
            if name == "officer":
                assert "138****" not in text and "张某某" not in text, path
    assert code_of(hall.person("officer").get("/ratings?mobile_tail=0001")) == (403, "forbidden")
    assert ok(hall.person("handler").get("/ratings?mobile_tail=0001"))["total"] == 1
    assert hall.rating(anonymous, "handler")["rater_name"] is None
    ok(hall.act("supervisor", rating, "assign", handler_id=me))
    for name, answered in (("officer", 403), ("supervisor", 403), ("other_handler", 409), ("inspector", 403)):
        refused = hall.act(name, rating, "reveal_number")
        assert refused.status_code == answered and "13800000001" not in text_of(refused), name
    body = {"version": hall.rating(rating)["version"]}
    first, again = (ok(hall.person("handler").post(f"/ratings/{rating}/actions/reveal_number", body)) for _ in range(2))
    assert first == again and first["mobile"] == "13800000001"
    assert hall.rating(rating, "handler")["mobile"] == "138****0001"
    history = ok(hall.person("supervisor").get(f"/ratings/{rating}/history"))["items"]
    assert [one["action"] for one in history] == ["open", "assign", "reveal_number"]
    hall.lead(rating, "contact", "verify", "rectify", "reply", "close")
    replayed = ok(hall.person("handler").post(f"/ratings/{rating}/actions/reveal_number", body))
    assert replayed["mobile"] == "138****0001"


@ONE_DATABASE
def test_a_number_in_a_comment_is_read_by_nobody_but_who_has_to_call_and_the_rater(hall: Hall) -> None:
    rated = ok(hall.rate(hall.code(), **BAD | {"comment": "打138，0000，0001找张某某"}), 201)
    masked = "打*************找***"
    for name in ("officer", "handler", "supervisor"):
        (row,) = ok(hall.person(name).get("/ratings"))["items"]
        assert row["comment"] == masked
        record = hall.rating(rated["id"], name)
        assert record["public_comment"] == masked
        assert record["comment"] == ("打138，0000，0001找张某某" if name == "handler" else masked), name
    assert ok(hall.get(f"/api/v1/ratings/answer/{rated['query_code']}"))["comment"] == "打138，0000，0001找张某某"


@ONE_DATABASE
def test_a_good_rating_with_a_number_in_pieces_is_shown_only_when_a_supervisor_has_read_it(hall: Hall) -> None:
    rating = hall.rated(hall.code(), comment="打138转0000转0001找我")
    assert [one["comment"] for one in ok(hall.get("/api/v1/ratings/public"))["items"]] == [None]
    assert hall.rating(rating)["publicity"] == "pending"
    ok(hall.act("supervisor", rating, "release"))
    assert ok(hall.get("/api/v1/ratings/public"))["items"][0]["comment"]


@ONE_DATABASE
def test_another_citys_staff_see_nothing_of_a_rating(hall: Hall) -> None:
    code = hall.code()
    rating = hall.bad(code, comment="绝密的具体意见")
    for name in ("far_officer", "far_handler", "far_supervisor"):
        stranger = hall.person(name)
        for path in ("", "?level=1", "?q=营业执照", f"?code_id={code['id']}", "?mobile_tail=0101", "?overdue=false"):
            if "mobile_tail" in path and name == "far_officer":
                continue  # nobody at a window looks for numbers
            assert ok(stranger.get(f"/ratings{path}"))["total"] == 0, path
        for path in ("", "/history"):
            assert code_of(stranger.get(f"/ratings/{rating}{path}")) == (404, "not_found")
        figures = ok(stranger.get("/statistics/ratings"))
        assert (figures["total"]["ratings"], figures["rows"]) == (0, [])
        assert not any(tag["count"] for tag in figures["tags"])
        for path in STAFF_ROUTES:
            assert "绝密" not in text_of(stranger.get(path.format(id=rating)))
        assert len(stranger.get("/ratings.csv").get_data(as_text=True).strip().splitlines()) == 1
        if name != "far_officer":
            for action in (*STEPS, "assign", "appeal", "release"):
                answer = stranger.post(f"/ratings/{rating}/actions/{action}", {"version": 1, **STEPS.get(action, {})})
                assert code_of(answer) == (404, "not_found"), action
        assert not ok(stranger.get("/todos"))["items"]
    assert hall.rating(rating)["version"] == 1


@ONE_DATABASE
def test_each_role_reads_what_is_its_and_nothing_else(hall: Hall) -> None:
    rating = hall.bad(hall.code())
    for path in STAFF_ROUTES:
        for name, status in (("officer", 200), ("handler", 200), ("supervisor", 200), ("inspector", 403)):
            assert hall.person(name).get(path.format(id=rating)).status_code == status, (name, path)
        assert hall.get("/api/v1" + path.format(id=rating)).status_code == 401


@ONE_DATABASE
def test_the_list_is_filtered_by_all_that_the_contract_names(hall: Hall, clock: time_machine.Traveller) -> None:
    visit, case = hall.code(matter_name="食品经营许可"), hall.code(kind="per_matter", matter_name="公司变更登记")
    bad = hall.bad(visit, mobile="13800000011")
    clock.shift(timedelta(hours=2))
    good = hall.rated(case, mobile="13800000012")
    everything = [good, bad]
    for query, expected in (
        ("", everything), ("level=1", [bad]), ("bad=true", [bad]), ("bad=false", [good]), ("channel=qr_matter", [good]),
        ("q=食品", [bad]), ("status=to_verify", [bad]), ("status=closed", [good]), ("mobile_tail=0011", [bad]),
        (f"code_id={case['id']}", [good]), ("publicity=pending", everything), ("from=2026-11-21", everything),
        ("from=2026-11-22", []), ("to=2026-11-20", []), ("overdue=true", []), ("level=", everything),
        ("bad=true&q=公司", []), (f"office_id={new_id()}", []),
    ):  # fmt: skip
        items = ok(hall.person("supervisor").get(f"/ratings?{query}"))["items"]
        assert [one["id"] for one in items] == expected, query


@ONE_DATABASE
@pytest.mark.parametrize(
    "query", ["level=6", "mobile_tail=１２３４", "mobile_tail=123", "from=2026-02-30", "from=never", "page=0",
              "page_size=101", "channel=fax", "code_id=1", "q=" + "x" * 101, "overdue=perhaps"],
)  # fmt: skip
def test_a_filter_that_cannot_be_is_refused_by_name(hall: Hall, query: str) -> None:
    name = query.partition("=")[0]
    assert set(faults(hall.person("supervisor").get(f"/ratings?{query}"))) == {f"/{name}"}


@ONE_DATABASE
def test_days_at_the_ends_of_the_calendar_are_only_dates(hall: Hall) -> None:
    hall.rated(hall.code())
    for path in ("/ratings", "/statistics/ratings", "/ratings/public"):
        for query in ("from=0001-01-01&to=9999-12-31", "from=9999-12-31", "to=0001-01-01"):
            assert hall.person("supervisor").get(f"{path}?{query}").status_code == 200, (path, query)


@ONE_DATABASE
def test_what_is_overdue_stands_out_in_red_and_in_a_list_of_its_own(
    hall: Hall, clock: time_machine.Traveller
) -> None:  # fmt: skip
    rating = hall.bad(hall.code())
    assert (hall.rating(rating)["due_on"], hall.rating(rating)["colour"]) == ("2026-11-27", "yellow")
    supervisor = hall.people.pop("supervisor")
    clock.shift(timedelta(days=7))
    hall.people = {"supervisor": hall.sign_in(supervisor.username)}
    assert hall.rating(rating)["colour"] == "red"
    assert [one["id"] for one in ok(hall.person("supervisor").get("/ratings?overdue=true"))["items"]] == [rating]
    figures = ok(hall.person("supervisor").get("/statistics/ratings"))["total"]
    assert (figures["overdue"], figures["due_or_closed"], figures["in_time_rate"]) == (1, 1, 0.0)


def test_figures_are_what_counting_the_list_gives_folded_or_not(hall: Hall, database: Database) -> None:
    visit, case = hall.code(), hall.code(kind="per_matter", matter_name="公司变更登记")
    hall.code(kind="per_matter", matter_name="公司注销登记")
    for level, tags in ((5, [510]), (5, []), (4, [406, 407]), (3, [])):
        hall.rated(visit, level=level, tags=tags)
    hall.rated(case, level=5, tags=[])
    hall.lead(hall.bad(visit), "contact", "verify", "rectify", "reply", "close")
    hall.bad(visit, real_name=False, level=2, tags=[207])
    supervisor = hall.person("supervisor")
    for folded in (False, True):
        if folded:
            with database.write() as session:
                assert tallies.fold(session) > 0
        rows = ok(supervisor.get("/ratings?page_size=100"))["items"]
        levels = [row["level"] for row in rows]
        total = ok(supervisor.get("/statistics/ratings"))["total"]
        assert total["ratings"] == len(levels) == 7
        assert [total[f"level_{n}"] for n in range(1, 6)] == [levels.count(n) for n in range(1, 6)]
        assert total["good_rate"] == round(5 / 7, 4) and total["bad_rate"] == round(2 / 7, 4)
        assert total["satisfaction"] == round(20 * sum(levels) / 7, 2)
        assert total["average_stars"] == round(sum(levels) / 7, 2)
        assert (total["matters"], total["rated_matters"], total["active_rate"]) == (2, 1, 0.5)
        assert (total["real_bad"], total["called_back"], total["call_back_rate"]) == (1, 1, 1.0)
        assert (total["due_or_closed"], total["closed_in_time"], total["in_time_rate"]) == (1, 1, 1.0)
        tags = {tag["code"]: tag["count"] for tag in ok(supervisor.get("/statistics/ratings"))["tags"] if tag["count"]}
        assert tags == {510: 1, 406: 1, 407: 1, 109: 1, 115: 1, 207: 1}
        assert ok(supervisor.get("/statistics/ratings?channel=qr_matter"))["total"]["ratings"] == 1
        assert ok(supervisor.get("/statistics/ratings?matter=公司变更登记"))["total"]["ratings"] == 1


@ONE_DATABASE
def test_without_ratings_every_rate_is_null(hall: Hall) -> None:
    total = ok(hall.person("supervisor").get("/statistics/ratings"))["total"]
    rates = [name for name in total if name.endswith("_rate")] + ["satisfaction", "average_stars"]
    assert len(rates) >= 6 and all(total[name] is None for name in rates)


@ONE_DATABASE
def test_the_public_reads_neither_names_nor_numbers_nor_what_is_under_way(hall: Hall) -> None:
    code = hall.code()
    good = hall.rated(code, rater_name="欧阳某某", mobile="13800000001", comment="欧阳某某电话13800000001，办得好")
    hall.bad(code, comment="还在办理中的差评")
    ok(hall.act("supervisor", good, "release"))
    answer = hall.get("/api/v1/ratings/public")
    under_way, shown = sorted(ok(answer)["items"], key=lambda one: one["level"])
    assert (under_way["level"], under_way["comment"], under_way["reply"]) == (1, None, None)
    text = answer.get_data(as_text=True)
    assert "欧阳" not in text and "13800000001" not in text and "还在办理" not in text
    assert shown["comment"] == "****电话***********，办得好"
    assert set(shown) == {"matter_name", "org_name", "level", "level_label", "tags", "comment", "rated_on", "reply",
                          "replied_on"}  # fmt: skip


@ONE_DATABASE
def test_a_supervisor_withholds_and_releases_the_text_of_what_is_closed(hall: Hall) -> None:
    rating = hall.rated(hall.code(), comment="办得快")
    for action, publicity, comment in (("withhold", "withheld", None), ("release", "shown", "办得快")):
        assert ok(hall.act("supervisor", rating, action, reason="待核实"))["publicity"] == publicity
        assert [one["comment"] for one in ok(hall.get("/api/v1/ratings/public"))["items"]] == [comment]
        assert hall.act("handler", rating, action, reason="待核实").status_code == 403


@ONE_DATABASE
def test_several_texts_are_released_by_one_call_that_can_be_sent_again(hall: Hall) -> None:
    code = hall.code()
    good, bad = [hall.rated(code, comment=f"办得快{number}") for number in range(2)], hall.bad(code)
    supervisor = hall.person("supervisor")
    for _ in range(2):
        done = ok(supervisor.post("/ratings/actions/release", {"ids": [*good, bad]}))
        assert done["released"] == good and [one["code"] for one in done["refused"]] == ["wrong_status"]
    assert hall.person("handler").post("/ratings/actions/release", {"ids": good}).status_code == 403
    assert supervisor.post("/ratings/actions/release", {"ids": []}).status_code == 422
    assert supervisor.post("/ratings/actions/release", {"ids": [new_id()] * 101}).status_code == 422


def test_reading_changes_no_status(hall: Hall, database: Database) -> None:
    code = hall.code()
    rated = ok(hall.rate(code, **BAD), 201)
    before = _standing(database)
    for path in STAFF_ROUTES:
        assert hall.person("supervisor").get(path.format(id=rated["id"])).status_code == 200
    for path in (f"/r/{code['token']}", f"/api/v1/ratings/form/{code['token']}", "/api/v1/ratings/public",
                 f"/r/answers/{rated['query_code']}", f"/api/v1/ratings/answer/{rated['query_code']}"):  # fmt: skip
        assert hall.get(path).status_code == 200
    for path in ("qr.png", "qr.svg"):
        assert hall.person("supervisor").get(f"/rating-codes/{code['id']}/{path}").status_code == 200
    assert _standing(database) == before


def _standing(database: Database) -> list[tuple[UUID, str, int]]:
    with database.read() as session:
        rows = [*session.execute(select(Rating.id, Rating.status, Rating.version))]
        rows += [*session.execute(select(RatingCode.id, RatingCode.status, RatingCode.version))]
    return sorted((row.id, row.status, row.version) for row in rows)


@ONE_DATABASE
def test_lists_are_newest_first_and_every_page_is_another(hall: Hall, clock: time_machine.Traveller) -> None:
    code = hall.code()
    made = []
    for _ in range(5):
        clock.shift(timedelta(seconds=1))
        made.append(hall.rated(code))
    seen = []
    for page in (1, 2, 3):
        answer = ok(hall.person("officer").get(f"/ratings?page={page}&page_size=2"))
        assert (answer["total"], answer["page"], answer["page_size"]) == (5, page, 2)
        seen += [row["id"] for row in answer["items"]]
        assert all(a["submitted_at"] > b["submitted_at"] for a, b in pairwise(answer["items"]))
    assert seen == made[::-1]
