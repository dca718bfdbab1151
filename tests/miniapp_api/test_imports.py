"""Registers from a spreadsheet: looked at, brought in slice by slice, nothing outside of the own jurisdiction."""

import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import func, select

from composition import long_jobs
from core import clock as core_clock
from core.db import Database
from core.errors import Problem
from core.long_jobs.running import Runner
from enterprise.imports.uploads import applying, staging
from enterprise.imports.uploads.models import UploadedImport
from enterprise.models import Enterprise
from miniapp_api.http.wiring import KEY, Wiring
from tests import parties as both
from tests.enterprise.test_register_import import HEADINGS, csv_file, row, xlsx_file
from tests.miniapp_api.test_access_log import logged
from tests.parties import FAR_WORKS, WORKS, Parties
from tests.people import Person, SignIn, new_id, uscc
from tests.records import Json

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def parties(application: APIFlask, sign_in: SignIn) -> Parties:
    return both.prepare(application, sign_in)


@pytest.fixture
def clerk(parties: Parties) -> Person:
    return parties.reviewer


@pytest.fixture
def services(application: APIFlask) -> Wiring:
    found: Wiring = application.extensions[KEY]
    return found


@pytest.fixture
def runner(services: Wiring) -> Runner:
    return long_jobs.runner(services)


def upload(person: Person, file: Path, register: str = "enterprises", **fields: str) -> Any:
    return person.call(
        "POST", f"/imports/{register}", content_type="multipart/form-data",
        data={"file": (io.BytesIO(file.read_bytes()), file.name), **fields},
    )  # fmt: skip


def staged(person: Person, file: Path, register: str = "enterprises", **fields: str) -> Json:
    answer = upload(person, file, register, **fields)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def applied(person: Person, runner: Runner, import_id: str) -> Json:
    answer = person.post(f"/imports/{import_id}/apply", {})
    assert answer.status_code == 202, answer.get_data(as_text=True)
    runner.run_due()
    return dict(person.get(f"/imports/{import_id}").json)


def names(database: Database) -> dict[str, str]:
    with database.read() as session:
        return {one.uscc: one.name for one in session.scalars(select(Enterprise))}


def a_file(tmp_path: Path) -> Path:
    """One new, one with another name, one with a wrong code, one of another county, one that would leave the county."""
    return csv_file(
        tmp_path,
        row(uscc(40), "常州新办电缆有限公司"),
        row(WORKS, "常州更名电缆有限公司"),
        row("91320402MA1TEX0019", "代码有误公司"),
        row(uscc(41), "南京某公司", region="320102"),
        row(FAR_WORKS, "南京某某电缆厂"),
    )


def test_a_register_is_looked_at_before_anything_changes(clerk: Person, database: Database, tmp_path: Path) -> None:
    before = names(database)
    seen = staged(clerk, a_file(tmp_path))
    assert names(database) == before
    assert seen["expected"] == {"added": 1, "changed": 1, "unchanged": 0, "refused": 3} and seen["added"] == 1
    assert (seen["status"], seen["status_label"], seen["done"], seen["progress"]) == ("staged", "待导入", None, 0)
    changed = next(one for one in seen["changed"] if one["field"] == "name")
    assert (changed["row"], changed["letter"], changed["old"], changed["new"]) == (
        3, "B", "常州某某电缆有限公司", "常州更名电缆有限公司",
    )  # fmt: skip
    assert [(one["row"], one["column"]) for one in seen["refused"]] == [
        (4, "统一社会信用代码"), (5, "行政区划代码"), (6, "统一社会信用代码"),
    ]  # fmt: skip
    assert "玄武区不在本辖区" in seen["refused"][1]["message"]
    assert "该企业登记在玄武区，不在本辖区" in seen["refused"][2]["message"]


def test_what_was_agreed_to_is_brought_in_and_the_rest_is_not(
    clerk: Person, runner: Runner, database: Database, tmp_path: Path
) -> None:
    seen = applied(clerk, runner, staged(clerk, a_file(tmp_path))["id"])
    assert (seen["status"], seen["progress"]) == ("done", 1)
    assert seen["done"] == {"added": 1, "changed": 1, "unchanged": 0, "refused": 3}
    there = names(database)
    assert there[WORKS] == "常州更名电缆有限公司" and there[uscc(40)] == "常州新办电缆有限公司"
    assert uscc(41) not in there and there[FAR_WORKS] == "南京某某电缆厂"


def test_the_report_names_every_cell_and_the_lines_are_paged(
    application: APIFlask, clerk: Person, tmp_path: Path
) -> None:
    path = f"/imports/{(import_id := staged(clerk, a_file(tmp_path))['id'])}"
    report = clerk.get(f"{path}/report.csv").get_data(as_text=True)
    assert "常州更名电缆有限公司" in report and "未导入" in report and "第5行F列" in report
    (entry,) = logged(application, operation="read_import_report")
    assert (entry["subjects"], entry["rows"]) == ([import_id], 8)
    page = clerk.get(f"{path}/lines?which=refused&count=2&first=3").json
    assert (page["total"], [one["row"] for one in page["refused"]], page["changed"]) == (3, [6], [])


def test_uploading_and_applying_again_change_nothing_more(
    clerk: Person, runner: Runner, database: Database, tmp_path: Path
) -> None:
    file, import_id = a_file(tmp_path), new_id()
    first = staged(clerk, file, id=import_id)
    again = upload(clerk, file, id=import_id)
    assert (again.status_code, again.json) == (200, first)
    done = applied(clerk, runner, import_id)
    assert applied(clerk, runner, import_id) == done
    assert upload(clerk, file, id=import_id).json["status"] == "done"
    other = upload(clerk, xlsx_file(tmp_path, HEADINGS, row()), id=import_id)
    assert (other.status_code, other.json["code"]) == (409, "id_taken")
    later = staged(clerk, file)
    assert later["expected"] == {"added": 0, "changed": 0, "unchanged": 2, "refused": 3}


def many(tmp_path: Path, count: int) -> Path:
    return csv_file(tmp_path, *(row(uscc(1000 + n), f"常州第{n}电缆厂") for n in range(count)))


def test_a_process_that_dies_between_slices_doubles_and_loses_nothing(
    clerk: Person, services: Wiring, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "AT_ONCE", 4)
    monkeypatch.setattr(applying, "AT_ONCE", 4)
    import_id = staged(clerk, many(tmp_path, 30))["id"]
    clerk.post(f"/imports/{import_id}/apply", {})
    brought_in, deaths = applying._bring_in, iter([False, True, False, False, True] + [False] * 20)

    class Killed(BaseException):
        pass

    def dying(*given: Any) -> None:
        brought_in(*given)
        if next(deaths):
            raise Killed  # the rows are stored, and nobody has noted the slice in the job

    monkeypatch.setattr(applying, "_bring_in", dying)
    for later in range(3):
        with time_machine.travel(clock_after(later), tick=True):
            try:
                long_jobs.runner(services).run_due()
            except Killed:
                continue
    seen = clerk.get(f"/imports/{import_id}").json
    assert (seen["status"], seen["done"]) == ("done", {"added": 30, "changed": 0, "unchanged": 0, "refused": 0})
    with database.read() as session:
        made = session.scalar(select(func.count()).where(Enterprise.name.like("常州第%电缆厂")))
    assert made == 30


def clock_after(leases: int) -> Any:
    return core_clock.now() + timedelta(minutes=5 * leases)


def test_a_licence_register_is_uploaded_likewise(
    clerk: Person, parties: Parties, runner: Runner, tmp_path: Path
) -> None:
    headings = ["证书编号", "统一社会信用代码", "产品类别", "产品明细", "有效期至"]
    file = csv_file(
        tmp_path,
        ["(苏)XK06-001-00002", WORKS, "电线电缆", "架空绞线", "2029-01-31"],
        ["(苏)XK06-001-00003", FAR_WORKS, "电线电缆", "架空绞线", "2029-01-31"],
        headings=headings,
    )
    seen = staged(clerk, file, "licences")
    assert seen["expected"] == {"added": 1, "changed": 0, "unchanged": 0, "refused": 1}
    assert applied(clerk, runner, seen["id"])["done"]["added"] == 1
    assert [one["licence_no"] for one in clerk.get(f"/licences?uscc={WORKS}").json["items"]].count(
        "(苏)XK06-001-00002"
    ) == 1


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no headings": (lambda folder: csv_file(folder, ["甲"], headings=["什么"]), "未找到表头"),
    "a picture": (lambda folder: written(folder / "a.png", b"\x89PNG"), "不支持的文件格式"),
    "an old workbook": (lambda folder: written(folder / "a.xls", b"\xd0\xcf\x11\xe0"), "不支持的文件格式"),
    "not a workbook": (lambda folder: written(folder / "a.xlsx", b"PK"), "Excel"),
    "empty": (lambda folder: written(folder / "a.csv", b""), "文件是空的"),
}


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_used_is_refused_with_what_to_do(clerk: Person, tmp_path: Path, name: str) -> None:
    file, said = REFUSED[name]
    answer = upload(clerk, file(tmp_path))
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert [one["path"] for one in answer.json["errors"]] == ["/file"] and said in answer.json["errors"][0]["message"]


def test_too_many_rows_are_for_the_command_line(clerk: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MOST_ROWS", 4)
    assert "一次最多导入4行" in upload(clerk, many(tmp_path, 4)).get_data(as_text=True)
    assert upload(clerk, many(tmp_path, 3)).status_code == 201


def test_nobody_sees_the_imports_of_another(
    clerk: Person, parties: Parties, county_inspector: Person, tmp_path: Path
) -> None:
    path = f"/imports/{staged(clerk, a_file(tmp_path))['id']}"
    calls: Sequence[tuple[str, str]] = [
        ("GET", path), ("GET", f"{path}/lines"), ("GET", f"{path}/report.csv"), ("POST", f"{path}/apply"),
    ]  # fmt: skip
    for method, one in calls:
        assert parties.far_reviewer.call(method, one, json={}).status_code == 404, one
        assert county_inspector.call(method, one, json={}).status_code == 403, one
    assert parties.far_reviewer.get("/imports").json["items"] == []
    assert [one["id"] for one in clerk.get("/imports").json["items"]] == [path.split("/")[-1]]
    assert upload(clerk, a_file(tmp_path), "ratings").status_code == 404


def test_an_import_of_a_clerk_who_may_not_act_any_more_stops(
    clerk: Person, runner: Runner, database: Database, tmp_path: Path
) -> None:
    import_id = staged(clerk, a_file(tmp_path))["id"]
    clerk.post(f"/imports/{import_id}/apply", {})
    stopped = Runner(runner.database, runner.works, lambda _session, _job: None)
    stopped.run_due()
    assert clerk.get(f"/imports/{import_id}").json["status"] == "stopped" and uscc(40) not in names(database)


def test_what_was_staged_is_kept_for_three_days(clerk: Person, services: Wiring, tmp_path: Path) -> None:
    import_id = staged(clerk, a_file(tmp_path))["id"]
    storage, database = services.uploads.storage, services.database
    with time_machine.travel(core_clock.now() + staging.KEPT - timedelta(minutes=1), tick=True):
        staging.sweep(database, storage)
        with database.read() as session:
            assert session.get(UploadedImport, staging.UUID(import_id)) is not None
    with time_machine.travel(core_clock.now() + staging.KEPT + timedelta(minutes=1), tick=True):
        staging.sweep(database, storage)
        with database.read() as session:
            assert session.get(UploadedImport, staging.UUID(import_id)) is None
        with pytest.raises(Problem):
            staging.lines(storage, staging.UUID(import_id))


def test_a_preview_that_is_nearly_over_is_not_begun(clerk: Person, sign_in: SignIn, tmp_path: Path) -> None:
    import_id = staged(clerk, a_file(tmp_path))["id"]
    with time_machine.travel(core_clock.now() + staging.KEPT - timedelta(minutes=30), tick=True):
        answer = sign_in("licence_reviewer").post(f"/imports/{import_id}/apply", {})
        assert (answer.status_code, answer.json["code"]) == (409, "wrong_status")
        assert "重新上传" in answer.json["title"] + answer.json.get("detail", "")
