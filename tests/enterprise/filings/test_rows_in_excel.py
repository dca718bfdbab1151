"""The rows of a group of a draft as an Excel table: out, filled in, and in again with a preview."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from python_calamine import CalamineWorkbook

from tests.enterprise.filings.desk import Desk
from tests.enterprise.filings.invented import invented
from tests.parties import Parties
from tests.people import new_id

FORM: dict[str, Any] = {
    "code": "staff-table", "version": 1, "title": "人员", "kind": "filing",
    "sections": [{"code": "one", "title": "一", "items": [
        {"field": "staff", "text": "人员", "type": "group", "max_items": 3, "items": [
            {"field": "name", "text": "姓名", "type": "text", "required": True},
            {"field": "id_no", "text": "身份证号", "type": "resident_id"},
            {"field": "kind", "text": "类别", "type": "choice", "options": [
                {"value": "tech", "label": "技术人员"}, {"value": "electrician", "label": "电工"}]},
            {"field": "valid_to", "text": "证书有效期", "type": "date"},
            {"field": "years", "text": "年限", "type": "number"},
            {"field": "dedicated", "text": "专职", "type": "boolean"},
            {"field": "proof", "text": "证书", "type": "file"}]}]}],
}  # fmt: skip
HEADINGS = ["姓名*", "身份证号", "类别", "证书有效期", "年限", "专职"]
ID_NO = "11010519491231002X"

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def filing(desk: Desk, parties: Parties) -> dict[str, Any]:
    desk.engine.forms.publish(FORM)
    desk.declare(invented(form_code="staff-table"))
    rows = [{"name": "张伟民", "id_no": ID_NO, "kind": "tech", "valid_to": "2027-01-31", "dedicated": True}]
    opened = parties.enterprise.put(f"/filings/{new_id()}", {"kind": "invented", "data": {"staff": rows}})
    assert opened.status_code == 201, opened.json
    return dict(opened.json)


def _book(*rows: Sequence[object], formula: bool = False, merged: bool = False) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    for y, cells in enumerate(rows):
        for x, cell in enumerate(cells):
            sheet.write(y, x, cell)
    if formula:
        sheet.write_formula(1, 0, "=1+1", None, "甲")
    if merged:
        sheet.merge_range(1, 2, 2, 2, "电工")
    book.close()
    return file.getvalue()


def _sent(parties: Parties, filing: dict[str, Any], content: bytes, name: str = "人员.xlsx") -> Any:
    return parties.enterprise.call(
        "POST", f"/filings/{filing['id']}/rows/staff", data={"file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )  # fmt: skip


def test_rows_go_out_as_text_and_come_in_again_unchanged(
    parties: Parties, filing: dict[str, Any], tmp_path: Path
) -> None:
    answer = parties.enterprise.get(f"/filings/{filing['id']}/rows/staff.xlsx")
    assert answer.status_code == 200
    path = tmp_path / "out.xlsx"
    path.write_bytes(answer.data)
    assert CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python() == [
        HEADINGS, ["张伟民", ID_NO, "技术人员", "2027-01-31", "", "是"]
    ]  # fmt: skip
    again = _sent(parties, filing, answer.data).json
    assert again == {"rows": filing["data"]["staff"], "faults": []}


def test_what_was_read_is_saved_with_the_working_copy_by_who_agrees(parties: Parties, filing: dict[str, Any]) -> None:
    content = _book(HEADINGS, ["李四", ID_NO, "电工", "2027年1月31日", 3, "否"])
    read = _sent(parties, filing, content).json
    assert read["rows"] == [{
        "name": "李四", "id_no": ID_NO, "kind": "electrician", "valid_to": "2027-01-31", "years": "3",
        "dedicated": False,
    }]  # fmt: skip
    assert parties.enterprise.get(f"/filings/{filing['id']}").json["data"] == filing["data"], "nothing was stored yet"
    body = {"data": {"staff": read["rows"]}, "version": filing["version"]}
    assert parties.enterprise.put(f"/filings/{filing['id']}", body).status_code == 200


def test_faults_are_told_by_row_and_column_and_nothing_of_the_file_is_taken(
    parties: Parties, filing: dict[str, Any]
) -> None:
    content = _book(
        HEADINGS, ["甲", 110105194912310021, "电工", "明天", "三", ""], ["乙", ID_NO, "焊工", "", "", "也许"]
    )
    read = _sent(parties, filing, content).json
    assert read["rows"] == []
    assert [(one["row"], one["letter"], one["column"]) for one in read["faults"]] == [(2, "B", "身份证号")]
    content = _book(HEADINGS, ["甲", ID_NO, "电工", "明天", "三", ""], ["乙", ID_NO, "焊工", "", "", "也许"])
    read = _sent(parties, filing, content).json
    assert [(one["row"], one["letter"], one["column"]) for one in read["faults"]] == [
        (2, "D", "证书有效期"), (2, "E", "年限"), (3, "C", "类别"), (3, "F", "专职"),
    ]  # fmt: skip


def test_formulas_are_refused_and_a_merged_cell_counts_for_each_of_its_rows(
    parties: Parties, filing: dict[str, Any]
) -> None:
    read = _sent(parties, filing, _book(HEADINGS, ["", "", "", "", "", ""], formula=True)).json
    assert [(one["row"], one["letter"], one["message"]) for one in read["faults"]] == [
        (2, "A", "单元格是公式，请改为填写内容（可“选择性粘贴”为数值）")
    ]
    read = _sent(parties, filing, _book(HEADINGS, ["甲"], ["乙"], merged=True)).json
    assert [row["kind"] for row in read["rows"]] == ["electrician", "electrician"]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (_book(HEADINGS, *[[str(number)] for number in range(4)]), "a.xlsx", "“人员”最多3行，请减少后重试"),
        (_book(["名称"], ["甲"]), "a.xlsx", "未找到列名，请下载模板，按模板填写后上传"),
        (_book(["类别"], ["电工"]), "a.xlsx", "缺少必需的列：姓名，请下载模板填写"),
        (_book(["姓名", "姓名*"], ["甲"]), "a.xlsx", "有两列的列名都是“姓名”，请只保留一列"),
        (b"no workbook", "a.xlsx", None),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_with_what_to_do(
    parties: Parties, filing: dict[str, Any], content: bytes, name: str, said: str | None
) -> None:
    answer = _sent(parties, filing, content, name)
    assert answer.status_code == 422 and answer.json["errors"][0]["path"] == "/file"
    assert said is None or answer.json["errors"][0]["message"] == said


def test_only_who_fills_in_reads_a_file_and_only_who_may_read_gets_the_rows(
    parties: Parties, filing: dict[str, Any]
) -> None:
    for person in (parties.reviewer, parties.other_enterprise):
        assert person.get(f"/filings/{filing['id']}/rows/staff.xlsx").status_code == 404
    assert parties.enterprise.get(f"/filings/{filing['id']}/rows/nothing.xlsx").status_code == 404
