"""Import of the licence register: what goes in, what is refused, and the row 更新申报 of each licence."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from apiflask import APIFlask
from sqlalchemy import select

from assets.tables.workbook_checks import SpreadsheetError
from assets.tables.writing import write_csv
from core.config import Settings
from core.db import Database
from enterprise.filings.models import Filing
from enterprise.imports.table_import import ImportReport
from enterprise.production import licence_import
from enterprise.production.licence_import import open_licences
from enterprise.production.models import Licence
from miniapp_api.http.wiring import KEY
from tests import parties as both
from tests.command_line import command_line
from tests.odd_workbooks import NOT_FOUND, Sheet, workbook
from tests.parties import DECLARATION, OTHER_WORKS, WORKS, Parties, act, open_declaration, publish_forms
from tests.people import Person, uscc
from tests.register import put_enterprises

HEADINGS = ["证书编号", "统一社会信用代码", "产品类别", "产品明细", "发证日期", "有效期至", "发证机关", "状态"]
NUMBER, OTHER, THIRD = (f"(苏)XK06-001-0000{n}" for n in (1, 2, 3))


def row(number: object = NUMBER, code: object = WORKS, **cells: object) -> list[object]:
    rest: dict[str, object] = {
        "class": "电线电缆", "detail": "塑料绝缘控制电缆", "issued": "2024-01-01", "valid": "2028-12-31",
        "issuer": "江苏省市场监督管理局", "status": "有效",
    }  # fmt: skip
    return [number, code, *(rest | cells).values()]


def csv_file(tmp_path: Path, *rows: Sequence[object], headings: Sequence[str] = HEADINGS) -> Path:
    path = tmp_path / "许可证.csv"
    path.write_bytes(b"".join(write_csv(headings, rows)))
    return path


@pytest.fixture
def register(application: APIFlask) -> APIFlask:
    """The application with two enterprises and the forms of filings."""
    services = application.extensions[KEY]
    publish_forms(services.forms)
    with services.database.write() as session:
        for code, name in ((WORKS, "常州某某电缆有限公司"), (OTHER_WORKS, "常州另一电线厂")):
            put_enterprises(session, {"uscc": code, "name": name, "region_code": "320402"})
    return application


@pytest.fixture
def parties(application: APIFlask, sign_in: Callable[[str], Person]) -> Parties:
    return both.prepare(application, sign_in)


def load(application: APIFlask, path: Path) -> ImportReport:
    services = application.extensions[KEY]
    return open_licences(services.database, services.filings, path).apply()


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.refused


def stored(database: Database) -> list[Licence]:
    with database.read() as session:
        return list(session.scalars(select(Licence).order_by(Licence.licence_no)))


def opened(database: Database) -> list[Filing]:
    with database.read() as session:
        return list(session.scalars(select(Filing).order_by(Filing.title)))


def test_a_licence_goes_in_with_all_its_columns_and_opens_its_declaration(
    register: APIFlask, database: Database, tmp_path: Path
) -> None:
    given = row("（苏）xk06-001-00001", issued="2024年1月1日", valid="20281231", status="注销")
    assert counts(load(register, csv_file(tmp_path, given))) == (1, 0, 0, 0)
    (licence,) = stored(database)
    assert (licence.licence_no, licence.uscc, licence.status) == (NUMBER, WORKS, "cancelled")
    assert (licence.issued_on, licence.valid_to) == (date(2024, 1, 1), date(2028, 12, 31))
    assert (licence.product_class, licence.product_detail) == ("电线电缆", "塑料绝缘控制电缆")
    assert licence.issuer == "江苏省市场监督管理局"
    (filing,) = opened(database)
    assert (filing.kind, filing.status, filing.subject_id) == ("data_declaration", "update", licence.id)
    assert filing.data["licence_no"] == NUMBER


def test_a_workbook_with_cells_of_dates_is_read(register: APIFlask, database: Database, tmp_path: Path) -> None:
    path = tmp_path / "许可证.xlsx"
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy/m/d"}) as book:
        sheet = book.add_worksheet()
        for x, heading in enumerate(HEADINGS):
            sheet.write_string(0, x, heading)
        for x, cell in enumerate(row(issued=date(2024, 1, 1), valid=date(2028, 12, 31))):
            sheet.write(1, x, cell)
    assert counts(load(register, path)) == (1, 0, 0, 0)
    assert stored(database)[0].valid_to == date(2028, 12, 31)


def test_the_same_file_again_changes_nothing_and_a_changed_row_is_updated(
    register: APIFlask, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(licence_import, "_BATCH", 2)
    rows = [row(), row(OTHER, OTHER_WORKS), row(THIRD)]
    assert counts(load(register, csv_file(tmp_path, *rows))) == (3, 0, 0, 0)
    before = [(licence.id, licence.updated_at) for licence in stored(database)]
    assert counts(load(register, csv_file(tmp_path, *rows))) == (0, 0, 3, 0)
    assert [(licence.id, licence.updated_at) for licence in stored(database)] == before
    rows[1] = row(OTHER, OTHER_WORKS, status="过期")
    assert counts(load(register, csv_file(tmp_path, *rows))) == (0, 1, 2, 0)
    assert [licence.status for licence in stored(database)] == ["valid", "expired", "valid"]
    assert [filing.status for filing in opened(database)] == ["update"] * 3


def test_a_missing_column_and_an_empty_cell_leave_a_field_and_a_word_empties_it(
    register: APIFlask, database: Database, tmp_path: Path
) -> None:
    load(register, csv_file(tmp_path, row(status="注销")))
    headings = [*HEADINGS[:4], "发证机关", "状态"]
    short = [NUMBER, WORKS, "电线电缆", "架空绝缘电缆"]
    assert counts(load(register, csv_file(tmp_path, [*short, "", ""], headings=headings))) == (0, 1, 0, 0)
    (licence,) = stored(database)
    assert (licence.product_detail, licence.issuer) == ("架空绝缘电缆", "江苏省市场监督管理局")
    assert (licence.valid_to, licence.status) == (date(2028, 12, 31), "cancelled")
    assert counts(load(register, csv_file(tmp_path, [*short, "清空", ""], headings=headings))) == (0, 1, 0, 0)
    assert stored(database)[0].issuer is None


@pytest.mark.parametrize(
    ("cells", "column", "told"),
    [
        ({"number": ""}, "证书编号", "必填"),
        ({"number": "XK6-1"}, "证书编号", "格式不正确"),
        ({"code": "91320400MA1TEX0011"}, "统一社会信用代码", "校验位"),
        ({"code": "9.13204E+17"}, "统一社会信用代码", "“文本”格式"),
        ({"code": uscc(999)}, "统一社会信用代码", "请先导入企业"),
        ({"number": OTHER}, "证书编号", "名下"),
        ({"class": ""}, "产品类别", "必填"),
        ({"detail": "长" * 2001}, "产品明细", "不能超过2000个字"),
        ({"detail": "\u200b\x07"}, "产品明细", "必填"),
        ({"detail": "\u3164……"}, "产品明细", "标点"),
        ({"issued": "去年"}, "发证日期", "无法识别"),
        ({"valid": "2026-02-30"}, "有效期至", "无法识别"),
        ({"valid": "2023-12-31"}, "有效期至", "不能早于发证日期"),
        ({"status": "很好"}, "状态", "有效、过期、注销、撤销、吊销"),
    ],
)
def test_a_faulty_row_is_refused_with_row_column_and_reason_and_the_others_go_in(
    register: APIFlask, database: Database, tmp_path: Path, cells: dict[str, Any], column: str, told: str
) -> None:
    load(register, csv_file(tmp_path, row(OTHER, OTHER_WORKS)))
    report = load(register, csv_file(tmp_path, row(**cells), row(THIRD)))
    assert counts(report) == (1, 0, 0, 1)
    (refusal,) = report.refusals
    assert (refusal.row, refusal.column) == (2, column)
    assert told in refusal.reason and "第2行" in refusal.reason
    assert [licence.licence_no for licence in stored(database)] == [OTHER, THIRD]
    assert len(opened(database)) == 2


def test_a_number_that_stands_twice_is_taken_from_its_first_good_row(
    register: APIFlask, database: Database, tmp_path: Path
) -> None:
    report = load(register, csv_file(tmp_path, row(status="?"), row(detail="甲"), row(detail="乙")))
    assert counts(report) == (1, 0, 0, 2)
    assert [refusal.row for refusal in report.refusals] == [2, 4]
    assert "与第3行的证书编号重复" in report.refusals[1].reason
    assert stored(database)[0].product_detail == "甲"


def test_a_file_without_the_needed_columns_is_unusable(register: APIFlask, tmp_path: Path) -> None:
    with pytest.raises(SpreadsheetError, match="“证书编号”“统一社会信用代码”"):
        load(register, csv_file(tmp_path, row(), headings=["编号", *HEADINGS[1:]]))
    with pytest.raises(SpreadsheetError, match="缺少必需的列：产品明细"):
        load(register, csv_file(tmp_path, row(), headings=[*HEADINGS[:3], "明细", *HEADINGS[4:]]))


def test_the_command_stores_licences_and_writes_the_refused_rows(
    register: APIFlask, database: Database, settings: Settings, tmp_path: Path
) -> None:
    path, refused = csv_file(tmp_path, row(), row("x")), tmp_path / "refused.csv"
    with command_line(settings) as run:
        answer = run("licences", "import", path, "--report", refused, status=1)
        assert "共2行：新增1，更新0，无变化0，未导入1" in answer.stdout
        assert "证书编号" in refused.read_text("utf-8-sig")
        assert "无变化1" in run("licences", "import", csv_file(tmp_path, row())).stdout
        assert "无法打开文件" in run("licences", "import", tmp_path / "none.xlsx", status=2).stderr
    assert len(stored(database)) == len(opened(database)) == 1


def test_an_installation_without_the_form_is_told_what_to_do_first(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    with command_line(settings) as run:
        assert "./manage prepare" in run("licences", "import", csv_file(tmp_path, row()), status=1).stderr
    assert stored(database) == []


def approve(parties: Parties, **changes: Any) -> None:
    opened_row = open_declaration(parties)
    body = {"data": {**DECLARATION, **changes}, "version": opened_row["version"]}
    filing = parties.enterprise.put(f"/filings/{opened_row['id']}", body).json
    filing = act(parties.enterprise, filing, "submit").json
    assert act(parties.reviewer, filing, "approve").status_code == 200


def test_the_same_file_again_does_not_undo_what_was_declared_and_approved(
    application: APIFlask, parties: Parties, database: Database, tmp_path: Path
) -> None:
    load(application, csv_file(tmp_path, row()))
    approve(parties, product_detail="铜芯控制电缆", licence_valid_to="2030-01-31")
    assert counts(load(application, csv_file(tmp_path, row()))) == (0, 0, 1, 0)
    (licence,) = stored(database)
    assert (licence.product_detail, licence.valid_to) == ("铜芯控制电缆", date(2030, 1, 31))
    (again,) = (filing for filing in opened(database) if filing.status == "update")
    assert (again.data["product_detail"], again.data["licence_valid_to"]) == ("铜芯控制电缆", "2030-01-31")
    assert counts(load(application, csv_file(tmp_path, row(issuer="国家市场监督管理总局")))) == (0, 1, 0, 0)
    (licence,) = stored(database)
    assert (licence.product_detail, licence.issuer) == ("铜芯控制电缆", "国家市场监督管理总局")
    corrected = row(issuer="国家市场监督管理总局", detail="架空绝缘电缆")
    assert counts(load(application, csv_file(tmp_path, corrected))) == (0, 1, 0, 0)
    (licence,) = stored(database)
    assert (licence.product_detail, licence.valid_to) == ("架空绝缘电缆", date(2030, 1, 31))
    (again,) = (filing for filing in opened(database) if filing.status == "update")
    assert (again.data["product_detail"], again.data["licence_valid_to"]) == ("架空绝缘电缆", "2030-01-31")


def test_a_file_that_follows_what_was_declared_changes_nothing_more(
    application: APIFlask, parties: Parties, database: Database, tmp_path: Path
) -> None:
    load(application, csv_file(tmp_path, row()))
    approve(parties, product_detail="铜芯控制电缆")
    followed = row(detail="铜芯控制电缆")
    assert counts(load(application, csv_file(tmp_path, followed))) == (0, 0, 1, 0)
    approve(parties, product_detail="铝芯控制电缆")
    assert counts(load(application, csv_file(tmp_path, followed))) == (0, 0, 1, 0)
    assert stored(database)[0].product_detail == "铝芯控制电缆"


@pytest.mark.parametrize(
    "written",
    ["苏XK06-001-00001", "（苏）XK06-001-00001", "【苏】xk06—001—00001", " ( 苏 ) XK06－001－00001 ", "苏XK0600100001"],
)  # fmt: skip
def test_a_number_is_known_however_it_is_written(
    register: APIFlask, database: Database, tmp_path: Path, written: str
) -> None:
    load(register, csv_file(tmp_path, row()))
    assert counts(load(register, csv_file(tmp_path, row(written)))) == (0, 0, 1, 0)
    assert [licence.licence_no for licence in stored(database)] == [NUMBER]


@pytest.mark.parametrize("written", ["苏XK06-0010-0001", "苏苏XK06-001-00001", "XK06-001-000011", "苏XK06-001"])
def test_what_is_no_number_stays_refused(register: APIFlask, tmp_path: Path, written: str) -> None:
    assert counts(load(register, csv_file(tmp_path, row(written)))) == (0, 0, 0, 1)


@pytest.mark.parametrize("since_1904", [False, True])
def test_a_column_of_days_is_read_also_where_nobody_formatted_it(
    register: APIFlask, database: Database, tmp_path: Path, since_1904: bool
) -> None:
    before = 1462 if since_1904 else 0
    rows = [
        HEADINGS, row(issued=45292 - before, valid="2028.12.31"),
        row(OTHER, OTHER_WORKS, issued=20240101, valid=47118 - before),
        row(THIRD, issued=date(2024, 1, 1), valid="2028年12月31日"),
    ]  # fmt: skip
    path = workbook(tmp_path / "a.xlsx", Sheet(rows), options={"date_1904": since_1904})
    assert counts(load(register, path)) == (3, 0, 0, 0)
    days = {(licence.issued_on, licence.valid_to) for licence in stored(database)}
    assert days == {(date(2024, 1, 1), date(2028, 12, 31))}


def test_merged_cells_errors_and_empty_ones_lose_nothing_of_a_licence(
    register: APIFlask, database: Database, tmp_path: Path
) -> None:
    load(register, csv_file(tmp_path, row(), row(OTHER, OTHER_WORKS), row(THIRD)))
    others = [row(OTHER, OTHER_WORKS, issuer=""), row(THIRD, issuer="", valid=NOT_FOUND)]
    rows = [HEADINGS, row(issuer="国家市场监督管理总局"), *others]
    report = load(register, workbook(tmp_path / "a.xlsx", Sheet(rows, merged=["G2:G4"])))
    assert counts(report) == (0, 2, 0, 1)
    assert [(one.row, one.letter) for one in report.refusals] == [(4, "F")]
    issuers = [licence.issuer for licence in stored(database)]
    assert issuers == ["国家市场监督管理总局", "国家市场监督管理总局", "江苏省市场监督管理局"]
    assert {licence.valid_to for licence in stored(database)} == {date(2028, 12, 31)}


def test_what_would_change_is_told_of_licences_too(register: APIFlask, database: Database, tmp_path: Path) -> None:
    load(register, csv_file(tmp_path, row()))
    path = csv_file(tmp_path, row(status="过期", valid="2029-01-01", issuer="清空"), row(OTHER, uscc(999)))
    services = register.extensions[KEY]
    report = open_licences(services.database, services.filings, path).preview()
    assert (counts(report), report.changed) == ((0, 1, 0, 1), 3)
    assert {(one.column, one.old, one.new) for one in report.changes} == {
        ("状态", "有效", "过期"), ("有效期至", "2028-12-31", "2029-01-01"), ("发证机关", "江苏省市场监督管理局", ""),
    }  # fmt: skip
    assert "请先导入企业" in report.refusals[0].reason
    assert stored(database)[0].status == "valid"
