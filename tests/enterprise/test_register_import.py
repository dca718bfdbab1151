import csv
import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from click.testing import CliRunner, Result
from sqlalchemy import select

from assets.tables.workbook_checks import SpreadsheetError
from assets.tables.writing import write_csv
from core.db import Database
from core.identifiers import make_uscc
from enterprise.commands import enterprises
from enterprise.filings.operations import follow_enterprise
from enterprise.imports import register_import
from enterprise.imports.table_import import ImportReport, Progress
from enterprise.models import Enterprise, EnterpriseProduct

open_register = partial(register_import.open_register, on_move=follow_enterprise)


def import_register(database: Database, path: Path, progress: Progress | None = None) -> ImportReport:
    return open_register(database, path).apply(progress)


HEADINGS = [
    "统一社会信用代码", "企业名称", "住所", "生产地址", "法定代表人", "行政区划代码", "企业规模", "产品类别",
]  # fmt: skip
CODE = "91320400MA1TEX0012"
OTHER = "91500105MA5TEX017C"
THIRD = "91110000MA0TEX0267"
DIGITS = next(code for n in range(99) if (code := make_uscc(f"913204005678901{n:02d}")).isdigit())


def row(code: str = CODE, name: str = "常州某某电缆有限公司", **cells: object) -> list[object]:
    rest = {"region": "320402", "scale": "小型", "products": "06", "address": "某路1号"} | cells
    return [code, name, rest["address"], "某路2号", "张三", rest["region"], rest["scale"], rest["products"]]


def csv_file(tmp_path: Path, *rows: Sequence[object], headings: Sequence[str] = HEADINGS) -> Path:
    path = tmp_path / "名录.csv"
    path.write_bytes(b"".join(write_csv(headings, rows)))
    return path


def xlsx_file(tmp_path: Path, *rows: Sequence[object]) -> Path:
    path = tmp_path / "名录.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for y, cells in enumerate(rows):
        for x, cell in enumerate(cells):
            sheet.write(y, x, cell)
    book.close()
    return path


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.refused


def stored(database: Database) -> list[Enterprise]:
    with database.read() as session:
        return list(session.scalars(select(Enterprise).order_by(Enterprise.uscc)))


def test_a_register_goes_in_with_all_its_columns(register_db: Database, tmp_path: Path) -> None:
    path = csv_file(tmp_path, row(products="06、水泥，防火门;5", code="91320400ma1-tex0012"))
    assert counts(import_register(register_db, path)) == (1, 0, 0, 0)
    (enterprise,) = stored(register_db)
    assert (enterprise.uscc, enterprise.name, enterprise.source) == (CODE, "常州某某电缆有限公司", "imported")
    assert (enterprise.address, enterprise.production_address) == ("某路1号", "某路2号")
    assert (enterprise.legal_representative, enterprise.scale) == ("张三", "small")
    assert (enterprise.area1, enterprise.area2, enterprise.area3) == ("320000", "320400", "320402")
    assert enterprise.product_codes == ["05", "06", "13"]
    with register_db.read() as session:
        assert len(session.scalars(select(EnterpriseProduct.product_code)).all()) == 3


def test_a_workbook_may_have_a_title_and_its_columns_in_any_order(register_db: Database, tmp_path: Path) -> None:
    path = xlsx_file(
        tmp_path,
        ["2026年企业名录"],
        [],
        ["序号", " 产品类别 ", "行政区划代码", "企业名称", "统一社会信用代码*", "备注"],
        [1, 6, 320402, "甲企业", CODE, "x"],
        [2, "电线电缆", "常州市天宁区", "乙企业", DIGITS, ""],
    )
    report = import_register(register_db, path)
    assert counts(report) == (2, 0, 0, 0)
    assert report.unknown_headers == ["序号", "备注"]
    assert {(e.uscc, e.region_code, *e.product_codes) for e in stored(register_db)} == {
        (CODE, "320402", "06"),
        (DIGITS, "320402", "06"),
    }


def test_the_same_file_again_changes_nothing_and_a_changed_row_is_updated(
    register_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_import, "_BATCH", 2)
    rows = [row(), row(OTHER, "乙企业"), row(THIRD, "丙企业")]
    assert counts(import_register(register_db, csv_file(tmp_path, *rows))) == (3, 0, 0, 0)
    before = [(e.id, e.updated_at) for e in stored(register_db)]
    assert counts(import_register(register_db, csv_file(tmp_path, *rows))) == (0, 0, 3, 0)
    assert [(e.id, e.updated_at) for e in stored(register_db)] == before
    rows[1] = row(OTHER, "新乙企业", region="320404")
    assert counts(import_register(register_db, csv_file(tmp_path, *rows))) == (0, 1, 2, 0)
    assert {e.name for e in stored(register_db)} == {"常州某某电缆有限公司", "新乙企业", "丙企业"}
    assert len(stored(register_db)) == 3


def test_a_missing_column_and_an_empty_cell_leave_a_field_and_a_word_empties_it(
    register_db: Database, tmp_path: Path
) -> None:
    import_register(register_db, csv_file(tmp_path, row()))
    headings = [*HEADINGS[:2], "行政区划代码", "住所", "企业规模"]
    import_register(register_db, csv_file(tmp_path, [CODE, "甲", "320402", "", ""], headings=headings))
    (enterprise,) = stored(register_db)
    assert (enterprise.name, enterprise.address, enterprise.scale) == ("甲", "某路1号", "small")
    import_register(register_db, csv_file(tmp_path, [CODE, "甲", "320402", "清空", "清空"], headings=headings))
    (enterprise,) = stored(register_db)
    assert (enterprise.name, enterprise.address, enterprise.scale) == ("甲", None, None)
    assert (enterprise.legal_representative, enterprise.product_codes) == ("张三", ["06"])


@pytest.mark.parametrize(
    ("cells", "column", "told"),
    [
        ({"code": "91320400MA1TEX0011"}, "统一社会信用代码", "校验位"),
        ({"code": ""}, "统一社会信用代码", "请填写"),
        ({"code": "9.13204E+17"}, "统一社会信用代码", "“文本”格式"),
        ({"name": ""}, "企业名称", "必填"),
        ({"name": "长" * 101}, "企业名称", "不能超过100个字"),
        ({"name": "㈱" * 40}, "企业名称", "合并字符"),
        ({"name": "……"}, "企业名称", "没有文字"),
        ({"name": "\u3164\u2800"}, "企业名称", "必填"),
        ({"address": "长" * 201}, "住所", "不能超过200个字"),
        ({"region": ""}, "行政区划代码", "必填"),
        ({"region": "999999"}, "行政区划代码", "不存在"),
        ({"region": "320400"}, "行政区划代码", "下辖区县"),
        ({"region": "鼓楼区"}, "行政区划代码", "不止一个"),
        ({"region": "某某区"}, "行政区划代码", "未找到"),
        ({"scale": "巨型"}, "企业规模", "无法识别"),
        ({"products": "06、飞船"}, "产品类别", "“飞船”无法识别"),
    ],
)
def test_a_faulty_row_is_refused_with_row_column_and_reason_and_the_others_go_in(
    register_db: Database, tmp_path: Path, cells: dict[str, Any], column: str, told: str
) -> None:
    path = csv_file(tmp_path, row(OTHER, "乙企业"), row(**cells), row(THIRD, "丙企业"))
    report = import_register(register_db, path)
    assert counts(report) == (2, 0, 0, 1)
    (refusal,) = report.refusals
    assert (refusal.row, refusal.column) == (3, column)
    assert told in refusal.reason and "第3行" in refusal.reason


@pytest.mark.parametrize(
    ("region", "code"),
    [
        ("天宁区", "320402"),
        ("江苏省常州市天宁区", "320402"),
        ("江苏省/常州市/天宁区", "320402"),
        ("南京市鼓楼区", "320106"),
        ("江苏省 徐州市 鼓楼区", "320302"),
        ("东莞市", "441900"),
        ("３２０４０２", "320402"),
    ],
)
def test_a_region_may_be_given_by_name(register_db: Database, tmp_path: Path, region: str, code: str) -> None:
    assert import_register(register_db, csv_file(tmp_path, row(region=region))).refusals == []
    assert stored(register_db)[0].region_code == code


def test_every_fault_of_a_row_is_told_and_the_row_is_counted_once(register_db: Database, tmp_path: Path) -> None:
    report = import_register(register_db, csv_file(tmp_path, row("x", "", region="1", products="?")))
    assert report.refused == 1
    assert {refusal.column for refusal in report.refusals} == {
        "统一社会信用代码", "企业名称", "行政区划代码", "产品类别",
    }  # fmt: skip


def test_a_code_of_18_digits_in_a_cell_of_numbers_is_refused(register_db: Database, tmp_path: Path) -> None:
    number = row()
    number[0] = int(DIGITS)
    report = import_register(register_db, xlsx_file(tmp_path, HEADINGS, number, row(DIGITS)))
    assert counts(report) == (1, 0, 0, 1)
    assert report.refusals[0].row == 2
    assert "第2行" in report.refusals[0].reason and "“文本”格式" in report.refusals[0].reason


def test_a_code_that_stands_twice_is_taken_from_its_first_good_row(register_db: Database, tmp_path: Path) -> None:
    path = csv_file(tmp_path, row(name=""), row(name="甲"), row(name="乙"), row(OTHER, "丙"))
    report = import_register(register_db, path)
    assert counts(report) == (2, 0, 0, 2)
    assert report.refusals[1].row == 4 and "第3行" in report.refusals[1].reason
    assert {e.name for e in stored(register_db)} == {"甲", "丙"}


def test_empty_rows_are_passed_over_and_keep_the_numbering(register_db: Database, tmp_path: Path) -> None:
    path = csv_file(tmp_path, [""] * 8, [], row(), row("x"))
    report = import_register(register_db, path)
    assert (report.rows, counts(report)) == (2, (1, 0, 0, 1))
    assert report.refusals[0].row == 5


@pytest.mark.parametrize(
    ("headings", "told"),
    [
        (["名称", "代码"], "未找到表头"),
        (["统一社会信用代码", "企业名称"], "缺少必需的列：行政区划代码"),
        ([*HEADINGS, "企业地址"], "重复"),
    ],
)
def test_a_file_without_the_needed_columns_is_unusable(
    register_db: Database, tmp_path: Path, headings: list[str], told: str
) -> None:
    with pytest.raises(SpreadsheetError, match=told):
        import_register(register_db, csv_file(tmp_path, row(), headings=headings))
    assert stored(register_db) == []


def test_progress_ends_at_the_whole_file(
    register_db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_import, "_BATCH", 1)
    seen: list[tuple[int, int]] = []
    path = xlsx_file(tmp_path, HEADINGS, row(), row(OTHER), row("x"))
    import_register(register_db, path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 4), (3, 4), (4, 4)]


def run(database: Database, *arguments: str) -> Result:
    return CliRunner().invoke(enterprises, ["import", *arguments], obj=SimpleNamespace(database=database))


def test_the_command_ends_with_0_when_every_row_is_in(register_db: Database, tmp_path: Path) -> None:
    result = run(register_db, str(csv_file(tmp_path, row())))
    assert result.exit_code == 0
    assert "共1行：新增1，更新0，无变化0，未导入0" in result.stdout


def test_the_command_ends_with_1_and_writes_the_refused_rows(register_db: Database, tmp_path: Path) -> None:
    report = tmp_path / "refused.csv"
    path = csv_file(tmp_path, row(), row("=x"), headings=[*HEADINGS[:-1], "产品"])
    result = run(register_db, str(path), "--report", str(report))
    assert result.exit_code == 1
    assert "未导入1" in result.stdout and "未识别的列（已忽略）：产品" in result.stdout
    written = list(csv.reader(io.StringIO(report.read_bytes().decode("utf-8-sig"), newline="")))
    assert written[0] == ["行号", "列号", "列名", "处理", "原内容", "表中内容", "原因"]
    assert written[1][:6] == ["3", "A", "统一社会信用代码", "未导入", "", "'=x"] and "第3行A列" in written[1][6]


def test_the_command_ends_with_2_when_the_file_cannot_be_used(register_db: Database, tmp_path: Path) -> None:
    result = run(register_db, str(tmp_path / "none.xlsx"))
    assert result.exit_code == 2
    assert "无法打开文件" in result.stderr
    no_folder = run(register_db, str(csv_file(tmp_path, row())), "--report", str(tmp_path / "no" / "x.csv"))
    assert no_folder.exit_code == 2
    assert stored(register_db) == []


def test_the_command_explains_itself(register_db: Database) -> None:
    result = run(register_db, "--help")
    assert result.exit_code == 0
    assert "Examples:" in result.output and "--report report.csv" in result.output
