"""A whole hall of windows at once: codes from a table, their posters in one file, disabled together."""

import io
import zipfile
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from assets.tables.writing import Sheet, write_xlsx
from composition import long_jobs
from core.long_jobs.running import Runner
from miniapp_api.http.wiring import KEY
from tests.drawn_papers import codes as codes_on
from tests.drawn_papers import pages, words
from tests.newcomers import code_of
from tests.people import Person, faults, new_id
from tests.problems import ONE_DATABASE
from tests.raters import Hall, ok

pytestmark = ONE_DATABASE
HEADINGS = ("评价类型", "事项名称*", "窗口", "承办单位", "办件编号")


@pytest.fixture
def runner(application: APIFlask) -> Runner:
    return long_jobs.runner(application.extensions[KEY])


def table(*rows: Sequence[Any], headings: Sequence[str] = HEADINGS) -> bytes:
    return write_xlsx(
        Sheet("窗口", headings, [[*row, *[""] * (len(headings) - len(row))] for row in rows], as_text=True)
    ).read()


def sent(person: Person, content: bytes, name: str = "窗口.xlsx") -> TestResponse:
    return person.call(
        "POST", "/rating-codes/tables", data={"file": (BytesIO(content), name)}, content_type="multipart/form-data"
    )


def making(rows: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = ("kind", "matter_name", "window", "office_id", "matter_ref")
    codes = [{"id": new_id(), **{name: row[name] for name in wanted if row[name]}} for row in rows]
    return {"job_id": new_id(), "codes": codes}


def test_a_table_of_windows_becomes_codes_whose_posters_are_one_pdf(hall: Hall, runner: Runner) -> None:
    officer = hall.person("officer")
    seen = ok(sent(officer, table(("", "营业执照办理", "1号窗口"), ("一次一评", "食品经营许可", "2号窗口"))))
    assert [(row["row"], row["matter_name"], row["known"]) for row in seen["rows"]] == [
        (2, "营业执照办理", False), (3, "食品经营许可", False),
    ]  # fmt: skip
    assert seen["refused"] == [] and ok(officer.get("/rating-codes"))["total"] == 0

    body = making(seen["rows"])
    job = ok(officer.post("/rating-codes/actions/make", body), 202)
    assert ok(officer.post("/rating-codes/actions/make", body), 202) == job  # the answer was lost
    assert runner.run_due() == 2
    listed = ok(officer.get("/rating-codes?status=active"))["items"]
    assert sorted(one["window"] for one in listed) == ["1号窗口", "2号窗口"] and all(one["url"] for one in listed)

    printing = ok(officer.post("/rating-codes/prints", {"filter": {"status": "active"}}), 202)
    runner.run_due()
    file = officer.get(f"/jobs/{printing['job_id']}/result").data
    assert pages(file) == 2 and sorted(codes_on(file)) == sorted(one["url"] for one in listed)
    assert "1号窗口" in words(file)
    again = ok(sent(officer, table(("", "营业执照办理", "1号窗口"))))
    assert [row["known"] for row in again["rows"]] == [True]


def test_signs_come_as_a_zip_named_by_window_and_codes_without_a_link_are_refused_by_row(
    hall: Hall, runner: Runner
) -> None:
    officer, ready, bare = hall.person("officer"), hall.code(window="3/4号窗口"), hall.code(generated=False)
    body = {"ids": [ready["id"], bare["id"]], "paper": "sign", "format": "zip"}
    job = ok(officer.post("/rating-codes/prints", body), 202)
    runner.run_due()
    refusals = ok(officer.get(f"/jobs/{job['job_id']}"))["refusals"]
    assert [(one["id"], one["code"]) for one in refusals] == [(bare["id"], "not_generated")]
    with zipfile.ZipFile(io.BytesIO(officer.get(f"/jobs/{job['job_id']}/result").data)) as archive:
        assert [name.split("-")[0] for name in archive.namelist()] == ["3_4号窗口"]


def test_what_is_wrong_in_a_table_is_named_by_row_and_column_and_the_rest_can_be_made(hall: Hall) -> None:
    rows = [
        ("", "", "1号窗口"), ("每次一评", "甲事项"), ("一事一评", "乙事项"), ("", "丙事项", "", "常州市钟楼区某局"),
        ("", "丁事项", "5号"), ("", "丁事项", "5号"), ("", "戊事项"),
    ]  # fmt: skip
    seen = ok(sent(hall.person("officer"), table(*rows)))
    assert [(one["row"], one["column"]) for one in seen["refused"]] == [
        (2, "事项名称"), (3, "评价类型"), (4, "办件编号"), (5, "承办单位"), (7, "事项名称"),
    ]  # fmt: skip
    assert [row["matter_name"] for row in seen["rows"]] == ["丁事项", "戊事项"]


def test_a_file_that_is_no_such_table_is_refused_with_what_to_do(hall: Hall) -> None:
    officer = hall.person("officer")
    for content, name in ((b"no table", "a.xlsx"), (table(("x",), headings=("标题",)), "b.xlsx"), (b"", "c.csv")):
        assert faults(sent(officer, content, name)) == {"/file": "bad_file"}, name
    assert "事项名称" in words_of(officer.get("/rating-codes/table.xlsx").data)


def test_codes_of_a_closed_window_are_disabled_together_and_others_offices_are_refused(
    hall: Hall, runner: Runner
) -> None:
    own, foreign = [hall.code()["id"] for _ in range(3)], hall.code("far_officer")["id"]
    officer = hall.person("officer")
    body = {"ids": [*own, foreign], "reason": "窗口撤销"}
    job = ok(officer.post("/rating-codes/actions/disable", body), 202)
    runner.run_due()
    after = ok(officer.get(f"/jobs/{job['job_id']}"))
    assert (after["done"], [one["code"] for one in after["refusals"]]) == (3, ["not_found"])
    assert {one["status"] for one in ok(officer.get("/rating-codes"))["items"]} == {"disabled"}


def test_who_may_not_make_codes_makes_none_at_once_either(hall: Hall) -> None:
    handler = hall.person("handler")
    assert code_of(sent(handler, table(("", "甲事项")))) == (403, "forbidden")
    for path in ("actions/make", "actions/disable"):
        assert code_of(handler.post(f"/rating-codes/{path}", {})) == (403, "forbidden")
    assert [one["name"] for one in ok(hall.person("officer").get("/rating-codes/offices"))["items"]]


def words_of(workbook: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml"))
