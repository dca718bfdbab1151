"""Who read or exported which personal record is logged, and no endpoint can forget it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError, ProgrammingError

from accounts.access_log import recording
from accounts.access_log.models import AccessEntry, AccessSubject
from accounts.verbs import Role
from core.db import Database
from miniapp_api.http import readings
from miniapp_api.http.answers import Answer, File, Page, successes_of
from miniapp_api.http.downloads import CSV, XLSX
from miniapp_api.http.gates import gate_of
from miniapp_api.http.wiring import KEY
from tests.newcomers import apply, code_of, make_user
from tests.people import Person, SignIn, production, spot_check, uscc
from tests.raters import Hall, upload_photo
from tests.records import read, submit


def logged(application: APIFlask, **by: Any) -> list[dict[str, Any]]:
    """The entries, oldest first; those whose columns are as given."""
    application.extensions[KEY].access_log.write()
    with application.extensions[KEY].database.read() as session:
        entries = session.scalars(select(AccessEntry).order_by(AccessEntry.at, AccessEntry.id)).all()
        subjects: dict[UUID, list[str]] = {}
        for row in session.scalars(select(AccessSubject)):
            subjects.setdefault(row.entry_id, []).append(str(row.subject_id))
    answers = [
        {
            **{name: getattr(one, name) for name in ("username", "operation", "subject_type", "rows", "address")},
            "office": one.office_name, "asked": one.asked, "subjects": sorted(subjects.get(one.id, [])),
        }
        for one in entries
    ]  # fmt: skip
    return [one for one in answers if all(one[name] == value for name, value in by.items())]


def operations(application: APIFlask) -> dict[str, tuple[Any, Any]]:
    """By operation: the view, and the contents of its successful answers."""
    found = {}
    for rule in application.url_map.iter_rules():
        view = application.view_functions[rule.endpoint]
        if not rule.endpoint.startswith("swagger_ui") and getattr(view, "_answers", None):
            found[rule.endpoint.rpartition(".")[2]] = (view, [one for one in successes_of(view).values() if one])
    return found


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_each_operation_whose_answer_holds_personal_data_says_whose_or_why_it_is_not_logged(
    application: APIFlask,
) -> None:
    logs = set()
    for operation, (view, contents) in operations(application).items():
        if gate_of(view).public:  # type: ignore[union-attr]
            continue  # nobody who asks there has a name; what they read is their own rating or application
        for content in contents:
            if isinstance(content, File):
                logs |= {operation} if content.about else set()
                continue
            about = readings._about(content)
            fields = sorted(set(readings.personal_fields(content)))
            assert about or not fields or operation in readings.NOT_LOGGED, (
                f"{operation} answers {fields}: say whose data that is (`about` of its model), or why it is not logged"
            )
            logs |= {operation} if about else set()
    assert len(logs) > 45
    for operation, reason in readings.NOT_LOGGED.items():
        assert operation in operations(application) and reason, f"{operation} is no operation any more"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_each_export_and_file_says_whose_data_it_holds_or_holds_none(application: APIFlask) -> None:
    without = {
        operation
        for operation, (_view, contents) in operations(application).items()
        if any(isinstance(content, File) and not content.about for content in contents)
    }
    codes = {f"read_{paper}" for paper in ("poster_pdf", "poster_png", "qr_png", "qr_svg", "sign_pdf", "sign_png")}
    figures = {
        "export_progress_csv",
        "export_progress_xlsx",
        "export_rating_statistics",
        "export_rating_breakdown",
        "read_code_table",
        "read_wxacode",
    }
    assert {one for one in without if not gate_of(operations(application)[one][0]).public} == figures | codes  # type: ignore[union-attr]


class _Secret(Answer):
    id: UUID
    mobile: str


def test_an_answer_that_says_nothing_is_logged_all_the_same_under_the_name_of_its_model() -> None:
    held = readings.held_by(Page[_Secret])
    assert held is not None and held.type_of({}).startswith("Page")
    assert readings.held_by(_Secret) is not None


def test_reading_one_record_is_logged_with_who_when_from_where_and_which(
    application: APIFlask, city_reviewer: Person, client: FlaskClient
) -> None:
    applied = apply(client)
    read(city_reviewer, f"/account-applications/{applied['id']}")
    (entry,) = logged(application)
    assert entry == {
        "username": "city_reviewer", "operation": "read_application", "subject_type": "account_application",
        "rows": 1, "address": "127.0.0.1", "office": entry["office"], "asked": None, "subjects": [applied["id"]],
    }  # fmt: skip
    assert "常州市" in entry["office"]


def test_a_list_is_logged_with_its_filters_rows_and_ids(application: APIFlask, county_inspector: Person) -> None:
    records = [
        submit(county_inspector, production(org_name=f"常州第{n}电缆厂", uscc=uscc(200 + n)))["id"] for n in range(3)
    ]
    read(county_inspector, "/inspections?q=电缆&page_size=2")
    (entry,) = logged(application, operation="inspections_list")
    assert entry["subject_type"] == "inspection" and entry["rows"] == 2
    assert len(entry["subjects"]) == 2 and set(entry["subjects"]) < set(records)
    assert entry["asked"] == '{"q":"电缆","page_size":"2"}'


def test_what_was_asked_for_is_sealed_in_the_database(
    application: APIFlask, county_inspector: Person, database: Database
) -> None:
    read(county_inspector, "/inspections?q=电缆")
    assert logged(application)[0]["asked"] == '{"q":"电缆"}'
    with database.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT asked FROM access_log").scalar_one()
    assert stored.startswith("enc2:") and "电缆" not in stored


@pytest.mark.parametrize(
    ("path", "subject_type", "operation"),
    [
        ("/inspections.csv", "inspection", "inspections_export_csv"),
        ("/inspections.xlsx", "inspection", "inspections_export_xlsx"),
        ("/spot-checks.csv", "spot_check", "spot_checks_export_csv"),
        ("/spot-checks.xlsx", "spot_check", "spot_checks_export_xlsx"),
    ],
)
def test_exports_of_records_are_logged_with_the_ids_of_their_rows(
    application: APIFlask, county_inspector: Person, path: str, subject_type: str, operation: str
) -> None:
    made = {
        "inspection": submit(county_inspector, production())["id"],
        "spot_check": submit(county_inspector, spot_check(), noun="spot-checks")["id"],
    }
    assert county_inspector.get(path).data
    (entry,) = logged(application, operation=operation)
    assert (entry["subject_type"], entry["rows"], entry["subjects"]) == (subject_type, 1, [made[subject_type]])


def test_exports_of_ratings_are_logged_with_the_ids_of_their_rows(application: APIFlask, hall: Hall) -> None:
    code = hall.code()
    ratings = sorted(hall.bad(code) for _ in range(3))
    for path, operation in (("/ratings.csv?bad=true", "export_ratings_csv"), ("/ratings.xlsx", "export_ratings_xlsx")):
        assert hall.person("supervisor").get(path).data
        (entry,) = logged(application, operation=operation)
        assert (entry["rows"], entry["subjects"], entry["username"]) == (3, ratings, "supervisor")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_every_export_notes_its_rows(application: APIFlask) -> None:
    tables = {
        operation
        for operation, (_view, contents) in operations(application).items()
        if any(isinstance(one, File) and one.about and one.media_type in (CSV, XLSX) for one in contents)
    }
    assert tables == {
        "inspections_export_csv", "inspections_export_xlsx", "spot_checks_export_csv", "spot_checks_export_xlsx",
        "export_ratings_csv", "export_ratings_xlsx",
        "export_rows",  # of one filing: `test_rows_in_excel.py`
        "read_import_report",  # `test_imports.py`
    }, "an export that is new needs a test like those above: its rows are noted"  # fmt: skip


def test_of_a_long_export_five_hundred_ids_are_noted_and_all_rows_counted(
    application: APIFlask, county_inspector: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_IDS", 2)
    for number in range(4):
        submit(county_inspector, production(org_name=f"常州第{number}电缆厂", uscc=uscc(200 + number)))
    assert county_inspector.get("/inspections.csv").data
    (entry,) = logged(application, operation="inspections_export_csv")
    assert entry["rows"] == 4 and len(entry["subjects"]) == 2


def test_a_file_is_logged_under_the_record_that_claims_it(application: APIFlask, county_inspector: Person) -> None:
    photo = upload_photo(county_inspector)
    record = submit(county_inspector, production(photos=[photo]))
    for path, operation in (
        (f"/files/{photo}", "download_file"),
        (f"/files/{photo}/thumbnail", "download_thumbnail"),
        (f"/files/{photo}/details", "read_details"),
    ):
        assert county_inspector.get(path).data
        (entry,) = logged(application, operation=operation)
        assert (entry["subject_type"], entry["subjects"]) == ("inspection", [record["id"]])
        assert photo in entry["asked"]


def test_revealing_a_raters_number_is_logged_as_that_step(application: APIFlask, hall: Hall) -> None:
    rating = hall.bad(hall.code())
    version = read(hall.person("handler"), f"/ratings/{rating}")["version"]
    answer = hall.person("handler").post(f"/ratings/{rating}/actions/reveal_number", {"version": version})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    (entry,) = logged(application, operation="act_on_rating")
    assert entry["subjects"] == [rating] and entry["asked"] == '{"action":"reveal_number"}'


def test_what_is_refused_and_what_strangers_ask_is_no_reading(
    application: APIFlask, client: FlaskClient, neighbour_inspector: Person, county_inspector: Person
) -> None:
    record = submit(county_inspector)
    assert neighbour_inspector.get(f"/inspections/{record['id']}").status_code == 404
    assert client.get(f"/api/v1/inspections/{record['id']}").status_code == 401
    assert logged(application) == []


def test_asking_only_for_the_head_of_an_answer_is_no_reading(application: APIFlask, county_inspector: Person) -> None:
    assert county_inspector.call("HEAD", "/inspections").status_code == 200
    assert logged(application) == []


def test_what_the_caller_has_just_submitted_is_no_reading(application: APIFlask, county_inspector: Person) -> None:
    submit(county_inspector)
    assert logged(application) == []


# The queue


def test_what_the_database_cannot_take_is_kept_and_written_once(
    application: APIFlask, county_inspector: Person, database: Database
) -> None:
    read(county_inspector, "/inspections")
    access_log = application.extensions[KEY].access_log

    def away(*_args: Any) -> None:
        raise OperationalError("INSERT", None, Exception("away"))

    event.listen(database.engine, "before_cursor_execute", away)
    assert access_log.write() == 0
    event.remove(database.engine, "before_cursor_execute", away)
    assert access_log.write() == 1 and access_log.write() == 0
    assert len(logged(application)) == 1


def test_a_batch_whose_commit_was_lost_on_the_way_is_not_written_twice(
    application: APIFlask, county_inspector: Person, database: Database
) -> None:
    read(county_inspector, "/inspections")
    access_log = application.extensions[KEY].access_log
    waiting = list(access_log._waiting)
    assert access_log.write() == 1
    access_log._waiting = waiting
    assert access_log.write() == 1
    assert len(logged(application)) == 1


def test_when_the_process_ends_what_was_gathered_is_written(
    application: APIFlask, county_inspector: Person, database: Database
) -> None:
    read(county_inspector, "/inspections")
    application.extensions[KEY].access_log.stop()
    with database.read() as session:
        assert len(session.scalars(select(AccessEntry)).all()) == 1


def test_what_nobody_can_hold_any_more_goes_to_the_programs_log(
    application: APIFlask, county_inspector: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[recording.Reading] = []
    monkeypatch.setattr(recording, "MOST_WAITING", 1)
    monkeypatch.setattr(recording, "_log", lost.append)
    read(county_inspector, "/inspections")
    read(county_inspector, "/spot-checks")
    assert [one.operation for one in lost] == ["spot_checks_list"] and len(logged(application)) == 1


def test_reading_writes_nothing_in_its_own_request(
    application: APIFlask, county_inspector: Person, database: Database
) -> None:
    read(county_inspector, "/inspections")  # notes that the session was seen
    written: list[str] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        written.extend([statement] if not statement.lstrip().upper().startswith(("SELECT", "WITH")) else [])

    event.listen(database.engine, "before_cursor_execute", see)
    read(county_inspector, "/inspections")
    event.remove(database.engine, "before_cursor_execute", see)
    assert written == []


def test_nothing_changes_or_removes_an_entry_by_mistake_on_postgresql(
    application: APIFlask, county_inspector: Person, database: Database, dialect: str
) -> None:
    if dialect != "postgresql":
        pytest.skip("triggers are PostgreSQL's")
    read(county_inspector, "/inspections")
    assert len(logged(application)) == 1
    for statement in (
        "UPDATE access_log SET username = 'x'", "DELETE FROM access_log", "DELETE FROM access_log_subjects",
        "TRUNCATE access_log_subjects, access_log",
    ):  # fmt: skip
        with pytest.raises(ProgrammingError, match="is only added to"), database.engine.begin() as connection:
            connection.exec_driver_sql(statement)
    assert len(logged(application)) == 1


# Looking it up


def entries(person: Person, query: str = "") -> list[dict[str, Any]]:
    person.client.application.extensions[KEY].access_log.write()  # type: ignore[attr-defined]
    return list(read(person, f"/access-log?page_size=100&{query}")["items"])


def test_a_superior_finds_who_read_a_record_alone_in_a_list_and_in_an_export(
    application: APIFlask, county_inspector: Person, county_colleague: Person, city_reviewer: Person
) -> None:
    record = submit(county_inspector)["id"]
    submit(county_inspector, production(org_name="别的电缆厂", uscc=uscc(201)))
    read(county_colleague, f"/inspections/{record}")
    read(county_colleague, "/inspections")
    assert county_colleague.get("/inspections.csv").data
    read(county_colleague, "/spot-checks")
    found = entries(city_reviewer, f"subject_id={record}")
    assert [(one["username"], one["operation"], one["rows"]) for one in found] == [
        ("county_colleague", "inspections_export_csv", 2),
        ("county_colleague", "inspections_list", 2),
        ("county_colleague", "inspections_read", 1),
    ]
    assert all(record in one["subjects"] for one in found)


def test_filters_of_the_log_narrow_it(
    application: APIFlask, clock: time_machine.Traveller, county_inspector: Person, city_reviewer: Person,
    client: FlaskClient,
) -> None:  # fmt: skip
    apply(client)
    read(county_inspector, "/inspections")
    clock.shift(timedelta(hours=1))
    read(county_inspector, "/spot-checks")
    read(city_reviewer, "/account-applications")
    assert [one["operation"] for one in entries(city_reviewer, "username=COUNTY_inspector")] == [
        "spot_checks_list", "inspections_list",
    ]  # fmt: skip
    assert [one["operation"] for one in entries(city_reviewer, "subject_type=account_application")] == [
        "list_applications"
    ]
    before = entries(city_reviewer, "until=2026-11-21T10:30:00%2B08:00")
    assert [one["operation"] for one in before] == ["inspections_list"]
    since = entries(city_reviewer, "since=2026-11-21T11:00:00%2B08:00&operation=spot_checks_list")
    assert len(since) == 1


def test_the_log_shows_readers_of_the_own_regions_and_nobody_elses(
    application: APIFlask, county_inspector: Person, other_city_inspector_reads: Person, city_reviewer: Person,
    province_user: Person, sign_in: SignIn,
) -> None:  # fmt: skip
    read(county_inspector, "/inspections")
    read(other_city_inspector_reads, "/inspections")
    read(province_user, "/inspections")
    assert {one["username"] for one in entries(city_reviewer)} == {"county_inspector"}
    assert {one["username"] for one in entries(province_user)} == {
        "county_inspector", "other_city_inspector", "province_user", "city_reviewer",
    }  # fmt: skip


@pytest.fixture
def other_city_inspector_reads(sign_in: SignIn) -> Person:
    return sign_in("other_city_inspector")


def test_only_who_holds_the_verb_reads_the_log_and_that_is_logged_too(
    application: APIFlask, county_inspector: Person, city_reviewer: Person, database: Database, sign_in: SignIn
) -> None:
    assert code_of(county_inspector.get("/access-log")) == (403, "forbidden")
    read(county_inspector, "/inspections")
    entries(city_reviewer)
    (entry,) = logged(application, operation="list_access_log")
    assert (entry["username"], entry["subject_type"]) == ("city_reviewer", "access_log")
    make_user(database, "320402", "rating_chief", Role.RATING_SUPERVISOR)
    assert code_of(sign_in("rating_chief").get("/access-log")) == (403, "forbidden")
