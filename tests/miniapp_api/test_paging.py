"""Every list can be worked off while it shrinks and grows: going on behind a mark neither skips nor repeats."""

import base64
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import ColumnElement, Table, delete, insert, select, true

from accounts.access_log.models import AccessEntry
from accounts.models import AccountApplication, Region, User, UserSession
from accounts.verbs import Role, Verb
from core.db import Database
from core.models import HistoryEntry, Outage, Todo
from core.privacy import in_row
from core.workflows import history, todos
from enterprise.filings.models import Filing, FilingVersion
from enterprise.imports.uploads.models import UploadedImport
from enterprise.models import Enterprise
from enterprise.notices.models import Notice
from enterprise.production.models import Licence, SelfCheckTopic, SupervisionCheck
from enterprise.registrations.models import Registered
from feedback.codes.kinds import SHOWN
from feedback.models import FreedNumber, Rating, RatingCode
from inspection.dictionaries.entries import PRODUCT_ITEMS, TEST_ITEMS
from inspection.dictionaries.models import DictionaryEntry
from inspection.models import CorrectionRequest, Inspection, InspectionVersion
from miniapp_api.http.wiring import KEY
from tests import paperwork, registrants
from tests import parties as both
from tests.newcomers import apply, make_user
from tests.parties import upload
from tests.people import SignIn, faults, new_id, production, spot_check, uscc
from tests.problems import ONE_DATABASE
from tests.raters import Hall
from tests.records import actor_of, read, save, submit
from tests.rounds import others_in_rounds

Json = dict[str, Any]
COLUMNS = {"comment": "public_comment"}
"""Where an item is named by another key than its column's."""


@dataclass
class Listed:
    """A list, how to name its items, and how the copies of its one row differ: columns by the place of a copy."""

    get: Callable[[str], Any]
    path: str
    model: Any
    differ: Callable[[int], Json]
    named_by: str = "id"
    key: str = "id"
    among: ColumnElement[bool] = field(default_factory=true)

    def page(self, size: int, **asked: Any) -> Json:
        joint = "&" if "?" in self.path else "?"
        query = "&".join(f"{name}={value}" for name, value in {"page_size": size, **asked}.items())
        answer = self.get(f"{self.path}{joint}{query}")
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return dict(answer.json)

    def names(self, page: Json) -> list[str]:
        return [str(item[self.named_by]) for item in page["items"]]

    @property
    def column(self) -> str:
        return COLUMNS.get(self.named_by, self.named_by)


@dataclass
class Stage:
    """Where lists are filled: one row of each is made as people make it, the others are its copies."""

    application: APIFlask
    database: Database
    sign_in: SignIn
    hall: Hall
    ids: dict[int, str] = field(default_factory=dict)

    def copy(self, listed: Listed, *places: int) -> dict[int, str]:
        """Copies of the row, at places: the higher, the further behind; their names by place."""
        table = cast(Table, listed.model.__table__)
        names: dict[int, str] = {}
        differences = {place: listed.differ(place) for place in places}
        with self.database.write() as session:
            among = select(table).where(listed.among).order_by(table.c[listed.key])
            row = dict(session.execute(among.limit(1)).mappings().one())
            copies = []
            for place, difference in differences.items():
                copied = {**row, listed.key: uuid4(), **difference}
                if copied[listed.key] is None:
                    del copied[listed.key]
                copies.append(copied)
                names[place] = str(copied[listed.column])
            # Each is encrypted for its own row.
            session.execute(insert(table), [in_row(table, copied) for copied in copies])
        return names

    def remove(self, listed: Listed, names: list[str]) -> None:
        table = cast(Table, listed.model.__table__)
        key, column = table.c[listed.key], table.c[listed.column]
        with self.database.write() as session, history.maintained(session):
            # A name may be encrypted, which the database cannot compare.
            rows = session.execute(select(key, column).where(listed.among))
            keys = [found for found, name in rows if str(name) in names]
            session.execute(delete(table).where(listed.among, key.in_(keys)))


@pytest.fixture
def stage(application: APIFlask, database: Database, sign_in: SignIn, hall: Hall) -> Stage:
    return Stage(application, database, sign_in, hall)


NOON = datetime.fromisoformat("2026-11-20T04:00:00+00:00")


def minutes(place: int) -> datetime:
    """An instant that is the earlier, the further behind a place lies; two places share it."""
    return NOON - timedelta(minutes=place // 2)


def days(place: int) -> date:
    return date(2026, 11, 20) - timedelta(days=place // 2)


def _drafts(stage: Stage, noun: str, body: Json) -> Listed:
    person = stage.sign_in("county_inspector")
    save(person, body, noun=noun)
    return Listed(person.get, f"/{noun}?status=draft", Inspection, lambda n: {"updated_at": minutes(n)})


def drafts(stage: Stage) -> Listed:
    return _drafts(stage, "inspections", production())


def spot_check_drafts(stage: Stage) -> Listed:
    return _drafts(stage, "spot-checks", spot_check())


def _records(stage: Stage, noun: str, body: Json, query: str = "") -> Listed:
    submit(stage.sign_in("county_inspector"), body, noun=noun)
    return Listed(
        stage.sign_in("city_reviewer").get, f"/{noun}{query}", Inspection,
        lambda n: {"submitted_at": minutes(n), "sheet_key": None},
    )  # fmt: skip


def records(stage: Stage) -> Listed:
    return _records(stage, "inspections", production())


def records_by_name(stage: Stage) -> Listed:
    return _records(stage, "inspections", production(), "?q=电缆&kind=production")


def records_of_days(stage: Stage) -> Listed:
    return _records(stage, "inspections", production(), "?from=2026-11-01&to=2026-11-30")


def voided_records(stage: Stage) -> Listed:
    person = stage.sign_in("county_inspector")
    record = submit(person, production())
    void = {"reason": "重复录入", "version": 1}
    assert person.post(f"/inspections/{record['id']}/void", void).status_code == 200
    return Listed(
        stage.sign_in("city_reviewer").get, "/inspections?status=voided&q=电缆", Inspection,
        lambda n: {"submitted_at": minutes(n)},
    )  # fmt: skip


def _asked(stage: Stage) -> str:
    record = submit(stage.sign_in("county_inspector"), production())
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        body = {**production(remark="补充"), "version": 1, "reason": "漏填"}
        asked = stage.sign_in("county_inspector").post(f"/inspections/{record['id']}/correction-requests", body)
    assert asked.status_code == 201
    return str(asked.json["id"])


def correction_requests(stage: Stage) -> Listed:
    _asked(stage)
    return Listed(
        stage.sign_in("city_reviewer").get, "/correction-requests", CorrectionRequest,
        lambda n: {"created_at": minutes(n), "status": "withdrawn"},
    )  # fmt: skip


def moves_of_a_correction_request(stage: Stage) -> Listed:
    return _moves(stage.sign_in("city_reviewer").get, "/correction-requests", _asked(stage))


def spot_checks(stage: Stage) -> Listed:
    return _records(stage, "spot-checks", spot_check())


def enterprises(stage: Stage) -> Listed:
    both.prepare(stage.application, stage.sign_in)

    def differ(place: int) -> Json:
        where = {"region_code": "320402", "area1": "320000", "area2": "320400", "area3": "320402"}
        name = f"常州电缆{place // 2 + 5000}厂"
        return {"name": name, "folded_name": name, "uscc": uscc(9_000_000 + place), **where}

    return Listed(stage.sign_in("county_inspector").get, "/enterprises", Enterprise, differ)


def users(stage: Stage) -> Listed:
    with stage.database.read() as session:  # whoever is copied may be of another province
        office = session.scalar(select(User.office_id).where(User.username == "province_user"))
    return Listed(
        stage.sign_in("province_user").get, "/users", User,
        lambda n: {"created_at": minutes(n), "username": f"someone{n}", "full_name": None, "office_id": office},
    )  # fmt: skip


def account_applications(stage: Stage) -> Listed:
    apply(stage.application.test_client())
    with stage.database.write() as session:
        user = dict(session.execute(select(cast(Table, User.__table__)).limit(1)).mappings().one())

    def differ(place: int) -> Json:
        applicant = {**user, "id": uuid4(), "username": f"applicant{place}"}
        with stage.database.write() as session:
            session.execute(insert(User).values(in_row(User, applicant)))
        return {"created_at": minutes(place), "query_code": new_id()[:32], "user_id": applicant["id"]}

    return Listed(
        stage.sign_in("city_reviewer").get, "/account-applications", AccountApplication, differ
    )  # fmt: skip


def ratings(stage: Stage) -> Listed:
    stage.hall.rated(stage.hall.code())
    return Listed(
        stage.hall.person("supervisor").get, "/ratings", Rating,
        lambda n: {"submitted_at": minutes(n), "query_key": new_id(), "submission_key": None},
    )  # fmt: skip


def overdue_ratings(stage: Stage) -> Listed:
    stage.hall.bad(stage.hall.code())
    return Listed(
        stage.hall.person("supervisor").get, "/ratings?overdue=true", Rating,
        lambda n: {"due_on": date(2026, 1, 30) + timedelta(n // 2), "query_key": new_id(), "submission_key": None},
    )  # fmt: skip


def public_ratings(stage: Stage) -> Listed:
    stage.hall.rated(stage.hall.code())
    client = stage.application.test_client()
    return Listed(
        lambda path: client.get(f"/api/v1{path}"), "/ratings/public", Rating,
        lambda n: {
            "submitted_at": minutes(n), "query_key": new_id(), "submission_key": None, "publicity": SHOWN,
            "public_comment": f"第{n}条",
        },
        named_by="comment",
    )  # fmt: skip


def freed_numbers(stage: Stage) -> Listed:
    body = {"mobile": "13800000001", "reason": "本人称号码被他人冒用"}
    assert stage.hall.person("supervisor").post("/rating-numbers/free", body).status_code == 201
    return Listed(
        stage.hall.person("supervisor").get, "/rating-numbers/freed", FreedNumber, lambda n: {"freed_at": minutes(n)}
    )


def rating_codes(stage: Stage) -> Listed:
    stage.hall.code()
    return Listed(
        stage.hall.person("supervisor").get, "/rating-codes", RatingCode,
        lambda n: {"created_at": minutes(n), "token": new_id()},
    )  # fmt: skip


def own_filings(stage: Stage) -> Listed:
    parties = both.prepare(stage.application, stage.sign_in)
    return Listed(parties.enterprise.get, "/filings", Filing, lambda n: {"created_at": minutes(n), "open_key": None})


def _sent_filings(stage: Stage, query: str, kind: str = "data_declaration", *statuses: str) -> Listed:
    parties = both.prepare(stage.application, stage.sign_in)

    def differ(place: int) -> Json:
        status = statuses[place % len(statuses)] if statuses else "pending"
        return {"created_at": minutes(place), "open_key": None, "sent": 1, "kind": kind, "status": status}

    return Listed(parties.reviewer.get, f"/filings{query}", Filing, differ)


def filings_of_offices(stage: Stage) -> Listed:
    return _sent_filings(stage, "")


def filings_by_name(stage: Stage) -> Listed:
    return _sent_filings(stage, "?q=电缆")


def filings_of_a_status(stage: Stage) -> Listed:
    return _sent_filings(stage, "?status=pending")


def filings_shown_in_one_of_several_statuses(stage: Stage) -> Listed:
    return _sent_filings(stage, "?status=unread", "self_check_report", "editing", "unread", "editing")


def licences(stage: Stage) -> Listed:
    parties = both.prepare(stage.application, stage.sign_in)
    return Listed(parties.enterprise.get, "/licences", Licence, lambda n: {"licence_no": f"XK-{n + 5000}"})


def registrations(stage: Stage) -> Listed:
    parties = both.prepare(stage.application, stage.sign_in)
    registrants.declare(stage.application)
    registrants.made(stage.application.test_client())

    def differ(place: int) -> Json:
        """Each has a filing and a user of its own."""
        ids: Json = {}
        with stage.database.write() as session:
            for model, name in ((Filing, "filing_id"), (User, "user_id")):
                table, of_one = cast(Table, model.__table__), select(getattr(Registered, name)).limit(1)
                row = dict(session.execute(select(table).where(table.c.id.in_(of_one))).mappings().one())
                ids[name] = uuid4()
                own = {"username": f"reg-{ids[name].hex}"} if model is User else {"open_key": None}
                session.execute(insert(table).values(in_row(table, {**row, **own, "id": ids[name]})))
        return {**ids, "created_at": minutes(place), "query_code_hash": uuid4().hex}

    return Listed(parties.reviewer.get, "/registrations", Registered, differ)


def _notices(stage: Stage, path: str) -> Listed:
    parties = both.prepare(stage.application, stage.sign_in)
    body = {"system": "production", "title": "年度自查的通知", "text": "请提交自查报告。"}
    notice = parties.reviewer.put(f"/notices/{new_id()}", body).json
    assert notice is not None
    parties.reviewer.post(f"/notices/{notice['id']}/publish", {"version": notice["version"]})
    return Listed(
        parties.reviewer.get, path, Notice, lambda n: {"published_at": minutes(n), "updated_at": minutes(n)}
    )  # fmt: skip


def notices(stage: Stage) -> Listed:
    return _notices(stage, "/notices?system=production")


def imports(stage: Stage) -> Listed:
    clerk = both.prepare(stage.application, stage.sign_in).reviewer
    register = ("统一社会信用代码,企业名称,行政区划代码\n" + f"{uscc(7)},某公司,320402\n").encode("utf-8-sig")
    sent = clerk.call(
        "POST", "/imports/enterprises", content_type="multipart/form-data", data={"file": (BytesIO(register), "a.csv")}
    )
    assert sent.status_code == 201, sent.get_data(as_text=True)
    return Listed(clerk.get, "/imports", UploadedImport, lambda n: {"created_at": minutes(n)})


def own_notices(stage: Stage) -> Listed:
    return _notices(stage, "/own-notices")


def topics(stage: Stage) -> Listed:
    parties = both.prepare(stage.application, stage.sign_in)
    _topic(parties)
    return Listed(parties.enterprise.get, "/self-check-topics", SelfCheckTopic, lambda n: {"open_from": days(n)})


def supervision_checks(stage: Stage) -> Listed:
    parties = both.prepare(stage.application, stage.sign_in)
    submit(stage.sign_in("county_inspector"), production(uscc=both.WORKS))
    return Listed(parties.enterprise.get, "/supervision-checks", SupervisionCheck, lambda n: {"checked_on": days(n)})


def to_dos(stage: Stage) -> Listed:
    person = stage.sign_in("county_inspector")
    office = actor_of(stage.database, person).office_id
    with stage.database.write() as session:
        todos.open_for_office(session, "k", "原件", ("check", uuid4()), verb=Verb.INSPECTION_WRITE, office_id=office)

    def differ(place: int) -> Json:
        # Some overdue, some due, some without a day: the order looks at all of it.
        due_on = None if place >= 20 else date(2026, 1, 30) + timedelta(place // 4)
        return {
            "id": None, "subject_id": uuid4(), "title": f"待办{place}", "due_on": due_on, "opened_at": minutes(place)
        }  # fmt: skip

    return Listed(person.get, "/todos", Todo, differ, named_by="title")


def _entries(stage: Stage, noun: str, **more: str) -> Listed:
    person = stage.sign_in("county_inspector")
    assert person.put(f"/products/06/{noun}/{new_id()}", {"name": "自行添加的条目", **more}).status_code == 201

    def differ(place: int) -> Json:
        name = f"条目{place}"
        added = {"dictionary": DICTIONARIES[noun], "product_code": "06", "area1": "320000", "alias_of": None}
        return {**added, "name": name, "folded_name": name, "created_at": minutes(place)}

    return Listed(person.get, f"/products/06/{noun}?q=条目", DictionaryEntry, differ)


def product_items(stage: Stage) -> Listed:
    return _entries(stage, "items", regulation_type="ccc")


def items_to_test(stage: Stage) -> Listed:
    return _entries(stage, "test-items")


def outages(stage: Stage) -> Listed:
    body = {
        "system": "all", "starts_at": "2026-11-18T09:00:00+08:00", "ends_at": "2026-11-18T18:00:00+08:00",
        "reason": "机房停电", "region": "320000",
    }  # fmt: skip
    make_user(stage.database, "320000", "sys_admin_user", Role.SYS_ADMIN)
    person = stage.sign_in("sys_admin_user")
    assert person.put(f"/outages/{new_id()}", body).status_code == 200
    return Listed(person.get, "/outages", Outage, lambda n: {"starts_at": minutes(n)})


def regions(stage: Stage) -> Listed:
    client = stage.application.test_client()
    return Listed(
        lambda path: client.get(f"/api/v1{path}"), "/regions?parent=320400", Region,
        lambda n: {"code": f"{n + 900000}"}, named_by="code", key="code", among=Region.parent_code == "320400",
    )  # fmt: skip


def own_sessions(stage: Stage) -> Listed:
    person = stage.sign_in("county_inspector")
    return Listed(
        person.get, "/me/sessions", UserSession, lambda n: {"created_at": minutes(n), "token_hash": new_id()},
        among=UserSession.user_id == actor_of(stage.database, person).user_id,
    )  # fmt: skip


def access_log(stage: Stage) -> Listed:
    read(stage.sign_in("county_inspector"), "/inspections")
    stage.application.extensions[KEY].access_log.write()
    return Listed(stage.sign_in("city_reviewer").get, "/access-log", AccessEntry, lambda n: {"at": minutes(n)})


def _moves(get: Callable[[str], Any], path: str, subject: str) -> Listed:
    return Listed(
        get, f"{path}/{subject}/history", HistoryEntry, lambda n: {"id": None, "seq": n + 1000}, named_by="seq",
        among=HistoryEntry.subject_id == UUID(subject),
    )  # fmt: skip


def moves_of_a_check(stage: Stage) -> Listed:
    person = stage.sign_in("county_inspector")
    return _moves(person.get, "/inspections", submit(person)["id"])


def moves_of_a_spot_check(stage: Stage) -> Listed:
    person = stage.sign_in("county_inspector")
    return _moves(person.get, "/spot-checks", submit(person, spot_check(), noun="spot-checks")["id"])


def _moves_of_a_word(stage: Stage, noun: str, **more: str) -> Listed:
    inspector, keeper, word = stage.sign_in("county_inspector"), stage.sign_in("province_user"), new_id()
    assert inspector.put(f"/products/06/{noun}/{word}", {"name": "自行添加的条目", **more}).status_code == 201
    renamed = keeper.post(f"/products/06/{noun}/{word}/actions/rename", {"version": 1, "name": "条目"})
    assert renamed.status_code == 200
    return _moves(keeper.get, f"/products/06/{noun}", word)


def moves_of_a_product_item(stage: Stage) -> Listed:
    return _moves_of_a_word(stage, "items", regulation_type="ccc")


def moves_of_a_test_item(stage: Stage) -> Listed:
    return _moves_of_a_word(stage, "test-items")


def moves_of_a_rating(stage: Stage) -> Listed:
    return _moves(stage.hall.person("supervisor").get, "/ratings", stage.hall.bad(stage.hall.code()))


def _topic(parties: both.Parties) -> str:
    topic, template = new_id(), upload(parties.reviewer, paperwork.docx(new_id()), "模板.docx", "template")
    body = {"title": "自查", "year": 2026, "template_file_id": template}
    assert parties.reviewer.put(f"/self-check-topics/{topic}", body).status_code == 201
    return topic


def _reported(stage: Stage) -> tuple[both.Parties, str]:
    parties = both.prepare(stage.application, stage.sign_in)
    sent = both.send_report(parties, _topic(parties))
    assert sent.status_code == 200
    return parties, sent.json["id"]


def moves_of_a_filing(stage: Stage) -> Listed:
    parties, filing = _reported(stage)
    return _moves(parties.enterprise.get, "/filings", filing)


def versions_of_a_filing(stage: Stage) -> Listed:
    parties, filing = _reported(stage)
    return Listed(
        parties.reviewer.get, f"/filings/{filing}/versions", FilingVersion, lambda n: {"number": n + 1000},
        named_by="number", among=FilingVersion.filing_id == UUID(filing),
    )  # fmt: skip


def _replaced(stage: Stage, noun: str, body: Json) -> Listed:
    person = stage.sign_in("county_inspector")
    record = submit(person, body, noun=noun)
    corrected = {**body, "remark": "补充", "version": 1, "reason": "补充说明"}
    assert person.put(f"/{noun}/{record['id']}/correction", corrected).status_code == 200
    return Listed(
        person.get, f"/{noun}/{record['id']}/versions", InspectionVersion, lambda n: {"version": n + 1000},
        named_by="version", key="version", among=InspectionVersion.inspection_id == UUID(record["id"]),
    )  # fmt: skip


def versions_of_a_check(stage: Stage) -> Listed:
    return _replaced(stage, "inspections", production())


def versions_of_a_spot_check(stage: Stage) -> Listed:
    return _replaced(stage, "spot-checks", spot_check())


LISTS = [
    product_items, items_to_test, drafts,
    spot_check_drafts, records, records_by_name, records_of_days, voided_records, correction_requests,
    moves_of_a_correction_request, spot_checks, enterprises, users,
    account_applications, ratings, overdue_ratings, public_ratings, rating_codes, freed_numbers,
    own_filings, filings_of_offices,
    filings_by_name, filings_of_a_status, filings_shown_in_one_of_several_statuses, licences, topics,
    registrations, notices, own_notices, imports,
    supervision_checks, to_dos, outages, regions, own_sessions, access_log, moves_of_a_check, moves_of_a_spot_check,
    moves_of_a_rating, moves_of_a_product_item, moves_of_a_test_item, moves_of_a_filing,
    versions_of_a_filing, versions_of_a_check, versions_of_a_spot_check,
]  # fmt: skip
SOME_OF_THE_LISTS = others_in_rounds(LISTS, drafts, records, ratings, own_filings, to_dos, moves_of_a_check)
"""Of each way in which the code pages one; all are worked off while they shrink and grow."""
PATHS = {
    "/correction-requests", "/correction-requests/{request_id}/history",
    "/inspections", "/spot-checks", "/enterprises", "/users", "/account-applications", "/ratings", "/ratings/public",
    "/products/{code}/items", "/products/{code}/test-items", "/rating-codes", "/rating-numbers/freed",
    "/filings", "/licences", "/registrations", "/notices", "/own-notices", "/imports",
    "/self-check-topics", "/supervision-checks", "/todos", "/outages", "/regions", "/me/sessions", "/access-log",
    "/offices", "/users/{user_id}/sessions",
    "/inspections/{record_id}/history", "/spot-checks/{record_id}/history", "/ratings/{rating_id}/history",
    "/filings/{filing_id}/history", "/filings/{filing_id}/rows/{group}", "/delegations", "/enforcement-papers",
    "/enforcement-officers", "/certificates", "/certificates/{certificate_id}/versions",
    "/certificates/{certificate_id}/draws", "/certificates/{certificate_id}/history",
    "/products/{code}/items/{item_id}/history",
    "/products/{code}/test-items/{item_id}/history",
    "/inspections/{record_id}/versions", "/spot-checks/{record_id}/versions", "/filings/{filing_id}/versions",
}  # fmt: skip
DICTIONARIES = {"items": PRODUCT_ITEMS, "test-items": TEST_ITEMS}
EXPORTS = (".csv", ".xlsx")
SHORT_BY_NATURE = {
    "/products", "/forms", "/filing-kinds", "/suggestions", "/suggestions/sellers", "/suggestions/colleagues",
    "/enterprises/<string:uscc>/visits", "/help", "/me/resets", "/enforcement-paper-kinds",
    "/delegations/offers",
    "/rating-codes/offices",
}  # fmt: skip
"""Lists that come whole: what the code declares, what is published once in a while, a number of suggestions or last
visits that has a limit, the support groups of one province, the five last resets of an account,
an office with its stations."""


@pytest.mark.parametrize("make", LISTS, ids=lambda make: make.__name__)
def test_a_list_that_shrinks_and_grows_is_worked_off_without_skipping_or_repeating(
    stage: Stage, make: Callable[[Stage], Listed]
) -> None:
    listed = make(stage)
    names = stage.copy(listed, *range(25))
    page = listed.page(4)
    seen, pages = listed.names(page), 1
    while page["next_after"] is not None:
        copies = [name for name in listed.names(page) if name in names.values()]
        stage.remove(listed, copies)  # it shrinks by what was dealt with
        stage.copy(listed, -2 * pages)  # and grows, before
        if pages == 2:
            names |= stage.copy(listed, 30, 31)  # and behind
        page = listed.page(4, after=page["next_after"])
        assert page["page"] is None and page["items"]
        seen += listed.names(page)
        pages += 1
    copied = [name for name in seen if name in names.values()]
    assert sorted(copied) == sorted(names.values())
    assert len(seen) == len(set(seen)) and pages >= 6


@pytest.mark.parametrize("make", SOME_OF_THE_LISTS, ids=lambda make: make.__name__)
def test_pages_by_number_and_by_mark_are_the_same_list(stage: Stage, make: Callable[[Stage], Listed]) -> None:
    listed = make(stage)
    stage.copy(listed, *range(9))
    by_number = [listed.page(3, page=number) for number in range(1, 5)]
    page, by_mark = listed.page(3), []
    while True:
        by_mark += listed.names(page)
        if page["next_after"] is None:
            break
        page = listed.page(3, after=page["next_after"])
    everything = listed.page(100)
    assert everything["next_after"] is None
    if make not in (records, records_by_name, spot_checks):  # their total is kept by submissions
        assert everything["total"] == len(everything["items"])
    assert by_mark == listed.names(everything)
    assert [name for page in by_number for name in listed.names(page)] == by_mark[:12]


def _lists(application: APIFlask) -> Iterator[str]:
    """Paths of all GETs that take a page."""
    for path, operations in application.spec["paths"].items():
        parameters = {one["name"] for one in operations.get("get", {}).get("parameters", [])}
        if "page" in parameters and not path.endswith(EXPORTS):
            assert {"page_size", "after"} <= parameters, path
            yield path.removeprefix("/api/v1")


@ONE_DATABASE
def test_no_list_with_pages_is_missing_here(application: APIFlask) -> None:
    assert set(_lists(application)) == PATHS


@ONE_DATABASE
def test_lists_without_pages_are_short_by_nature(application: APIFlask) -> None:
    sources = {
        rule.rule.removeprefix("/api/v1"): inspect.getsource(inspect.unwrap(application.view_functions[rule.endpoint]))
        for rule in application.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.rule.startswith("/api/v1")
    }
    assert {path for path, source in sources.items() if "whole(" in source} == SHORT_BY_NATURE


@ONE_DATABASE
@pytest.mark.parametrize("make", SOME_OF_THE_LISTS, ids=lambda make: make.__name__)
def test_a_list_that_is_asked_for_without_a_page_says_how_to_go_on(
    stage: Stage, make: Callable[[Stage], Listed]
) -> None:
    listed = make(stage)
    stage.copy(listed, *range(220))
    answer = listed.get(listed.path)
    assert answer.status_code == 200
    page = answer.json
    assert len(page["items"]) >= (221 if page["next_after"] is None else page["page_size"])


def _spoilt(mark: str) -> Iterator[str]:
    for place in (0, len(mark) // 2, len(mark) - 1):
        for letter in "A_z":
            yield mark[:place] + letter + mark[place + 1 :]
    yield mark[:-1]
    yield mark + "A"
    yield mark + "="
    yield "e30"
    yield "中文"
    yield base64.urlsafe_b64encode(b"[1,2,3]").decode()


def test_a_mark_that_was_tampered_with_is_refused(stage: Stage) -> None:
    listed = records(stage)
    stage.copy(listed, *range(5))
    mark = listed.page(2)["next_after"]
    for spoilt in _spoilt(mark):
        if spoilt != mark:
            assert faults(listed.get(f"/inspections?after={spoilt}")) == {"/after": "invalid"}, spoilt


def test_a_mark_of_another_list_is_refused(stage: Stage) -> None:
    listed = records(stage)
    stage.copy(listed, *range(5))
    mark = listed.page(2)["next_after"]
    assert faults(listed.get(f"/users?after={mark}")) == {"/after": "invalid"}


def test_page_and_mark_together_are_refused(stage: Stage) -> None:
    listed = records(stage)
    stage.copy(listed, *range(5))
    mark = listed.page(2)["next_after"]
    assert faults(listed.get(f"/inspections?page=1&after={mark}")) == {"/after": "invalid"}


def test_a_mark_goes_on_behind_a_place_whatever_the_filters(stage: Stage) -> None:
    listed = records(stage)
    stage.copy(listed, *range(5))
    page = listed.page(2)
    on = read(stage.sign_in("city_reviewer"), f"/inspections?kind=production&page_size=2&after={page['next_after']}")
    assert set(listed.names(on)).isdisjoint(listed.names(page)) and len(on["items"]) == 2
    none = read(stage.sign_in("city_reviewer"), f"/inspections?kind=sales&after={page['next_after']}")
    assert none["items"] == [] and none["next_after"] is None


def test_to_dos_that_are_read_on_after_midnight_go_on_in_the_order_in_which_they_were_begun(
    stage: Stage, clock: Any
) -> None:
    clock.move_to("2026-11-21T23:50:00+08:00")
    person = stage.sign_in("county_inspector")
    office = actor_of(stage.database, person).office_id
    with stage.database.write() as session:
        for title, due_on, urgent in (
            ("逾期", date(2026, 11, 20), False), ("加急", None, True), ("今天到期", date(2026, 11, 21), False)
        ):  # fmt: skip
            todos.open_for_office(
                session, "k", title, ("check", uuid4()), verb=Verb.INSPECTION_WRITE, office_id=office, due_on=due_on,
                urgent=urgent,
            )  # fmt: skip
    first = read(person, "/todos?page_size=2")
    clock.move_to("2026-11-22T00:10:00+08:00")
    second = read(person, f"/todos?page_size=2&after={first['next_after']}")
    assert [item["title"] for item in (*first["items"], *second["items"])] == ["逾期", "加急", "今天到期"]
    assert person.get("/todos").json["items"][1]["title"] == "今天到期"
