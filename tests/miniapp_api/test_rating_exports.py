"""Ratings as tables: the list's rows, numbers masked, nothing a formula; figures as the page has them."""

import csv
import io
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pytest
import time_machine
from python_calamine import CalamineWorkbook

from tests.newcomers import code_of
from tests.people import Person
from tests.problems import ONE_DATABASE
from tests.raters import Hall, ok

pytestmark = ONE_DATABASE

MARKUP = "<script>alert(1)</script> & <b>粗体</b>"
FORMULAS = ["=cmd|'/c calc'!A0", "+86回电", "-太慢", "@SUM(A1)"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv(person: Person, query: str = "") -> list[dict[str, str]]:
    answer = person.get(f"/ratings.csv?{query}")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def sheets(person: Person, path: str) -> list[list[dict[str, Any]]]:
    answer = person.get(path)
    assert (answer.status_code, answer.mimetype) == (200, XLSX)
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    found = []
    for name in book.sheet_names:
        heading, *rows = book.get_sheet_by_name(name).to_python()
        found.append([dict(zip(heading, row, strict=True)) for row in rows])
    return found


def some(hall: Hall, clock: time_machine.Traveller) -> None:
    visit, case = hall.code(window="1号窗口"), hall.code(kind="per_matter", matter_name="公司变更登记")
    for code, changes in (
        (visit, {"level": 5}),
        (visit, {"level": 3, "tags": [307]}),
        (case, {"level": 4, "tags": []}),
    ):
        clock.shift(timedelta(seconds=1))
        hall.rated(code, **changes)
    clock.shift(timedelta(seconds=1))
    hall.bad(visit, mobile="13800000001", rater_name="欧阳某某")


def test_exports_have_the_rows_of_the_list_under_the_same_filters(hall: Hall, clock: time_machine.Traveller) -> None:
    some(hall, clock)
    supervisor = hall.person("supervisor")
    for query in (
        "",
        "level=5",
        "bad=true",
        "channel=qr_matter",
        "q=公司",
        "status=to_verify",
        "mobile_tail=0001",
        "q=无",
    ):
        listed = [
            (row["matter_name"], row["level_label"], row["mobile"])
            for row in ok(supervisor.get(f"/ratings?{query}"))["items"]
        ]
        for rows in (as_csv(supervisor, query), *sheets(supervisor, f"/ratings.xlsx?{query}")):
            assert [(row["事项名称"], row["评价等级"], row["手机号"]) for row in rows] == listed, query


def test_a_row_says_what_the_rating_says_without_name_and_number(hall: Hall, clock: time_machine.Traveller) -> None:
    some(hall, clock)
    row = as_csv(hall.person("supervisor"))[0]
    assert row == {
        "提交时间": "2026-11-21 10:00:04", "事项名称": "营业执照办理", "承办单位": "天宁区市场监督管理局",
        "窗口": "1号窗口", "渠道": "扫码一次一评", "评价等级": "非常不满意",
        "评价标签": "需提供办事指南之外的申报材料；服务态度差效率低", "具体意见": "多次被要求补交材料",
        "手机号": "138****0001", "是否实名": "是", "短信验证": "否", "来自办公网络（仅供参考）": "否",
        "处理状态": "待核实",
        "整改期限": "2026-11-27", "期限说明": "", "办结时间": "", "公开状态": "文字待审核",
    }  # fmt: skip
    for path in ("/ratings.csv", "/ratings.xlsx", "/statistics/ratings.xlsx"):
        assert b"13800000001" not in hall.person("supervisor").get(path).data


def test_a_number_in_a_comment_is_in_no_table(hall: Hall) -> None:
    hall.bad(hall.code(), comment="打 138 0000 0001 找张某某")
    for person in (hall.person("handler"), hall.person("supervisor")):
        for rows in (as_csv(person), *sheets(person, "/ratings.xlsx")):
            assert [row["具体意见"] for row in rows] == ["打 ************* 找***"]


@pytest.mark.parametrize("text", [*FORMULAS, MARKUP])
def test_what_a_rater_types_is_text_in_every_table(hall: Hall, text: str) -> None:
    hall.rated(hall.code(matter_name=text), comment=text)
    officer = hall.person("officer")
    (row,), ((cell,),) = as_csv(officer), sheets(officer, "/ratings.xlsx")
    for name in ("具体意见", "事项名称"):
        assert row[name] == (f"'{text}" if text in FORMULAS else text)
        assert cell[name] == text
    for path in ("/ratings.xlsx", "/statistics/ratings.xlsx"):
        with ZipFile(io.BytesIO(officer.get(path).data)) as package:
            for part in package.namelist():
                assert b"<f>" not in package.read(part) and b"<script" not in package.read(part)


def test_the_workbook_of_figures_says_what_the_figures_say(hall: Hall, clock: time_machine.Traveller) -> None:
    some(hall, clock)
    supervisor = hall.person("supervisor")
    figures = ok(supervisor.get("/statistics/ratings"))
    summary, tags = sheets(supervisor, "/statistics/ratings.xlsx")
    total = figures["total"]
    assert [row["承办单位"] for row in summary] == ["合计", *(row["office_name"] for row in figures["rows"])]
    assert (summary[0]["评价总数"], summary[0]["好评率"], summary[0]["差评率"]) == (4, 0.75, 0.25)
    assert (summary[0]["满意度"], summary[0]["平均星级"]) == (total["satisfaction"], total["average_stars"])
    assert [row["次数"] for row in tags] == [tag["count"] for tag in figures["tags"]]


def test_without_ratings_the_workbook_has_dashes(hall: Hall) -> None:
    (total,), _ = sheets(hall.person("supervisor"), "/statistics/ratings.xlsx")
    assert (total["评价总数"], total["好评率"], total["满意度"], total["差评按期整改率"]) == (0, "–", "–", "–")


def test_too_many_rows_are_refused_before_anything_is_sent(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.tables.exports.EXPORT_LIMIT", 1)
    code = hall.code()
    hall.rated(code)
    hall.rated(code)
    for ending in ("csv", "xlsx"):
        assert code_of(hall.person("officer").get(f"/ratings.{ending}")) == (422, "export_too_large")
        assert hall.person("officer").get(f"/ratings.{ending}?level=1").status_code == 200


def test_an_export_is_a_file_with_a_name(hall: Hall, clock: time_machine.Traveller) -> None:
    for path in ("/ratings.csv", "/ratings.xlsx", "/statistics/ratings.xlsx"):
        named = hall.person("officer").get(path).headers["Content-Disposition"]
        ending = path.rpartition(".")[2]
        assert named.startswith(f"attachment; filename=\"file.{ending}\"; filename*=UTF-8''") and "-20261121." in named
