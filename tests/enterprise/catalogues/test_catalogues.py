"""Catalogues (目录词典): imported with a preview, searched by code and name at a flat cost."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, insert, text

from assets.tables.writing import write_csv
from core import clock
from core.db import Database
from core.errors import Problem
from enterprise.catalogues import queries
from enterprise.catalogues.declared import CATALOGUES
from enterprise.catalogues.importing import open_catalogue
from enterprise.catalogues.models import CatalogueBigram, CatalogueEntry
from enterprise.catalogues.words import CatalogueWords
from enterprise.imports.table_import import ImportReport

DAY = date(2026, 11, 20)
HEADINGS = ["HS编码", "商品名称", "计量单位", "有效期起", "有效期止"]
ROWS = [
    ["8415101000", "独立式空气调节器", "台", "", ""],
    ["8415102100", "空气调节器的室内机", "台", "", "2026-11-20"],
    ["8301100000", "挂锁", "千克", "2026-11-20", ""],
]


def _imported(
    database: Database, folder: Path, *rows: Sequence[object], of: str = "hs_codes", headings: Sequence[str] = HEADINGS,
    preview: bool = False,
) -> ImportReport:  # fmt: skip
    path = folder / "目录.csv"
    path.write_bytes(b"".join(write_csv(headings, rows)))
    opened = open_catalogue(database, path, CATALOGUES[of])
    return opened.preview() if preview else opened.apply()


def _counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.refused


def _found(database: Database, q: str, day: date = DAY, **more: Any) -> list[str]:
    with database.read() as session:
        return [one.code for one in queries.search(session, "hs_codes", q, day, **more)[0]]


def test_a_preview_stores_nothing_and_the_import_what_it_said(database: Database, tmp_path: Path) -> None:
    assert _counts(_imported(database, tmp_path, *ROWS, preview=True)) == (3, 0, 0, 0)
    assert _found(database, "") == []
    assert _counts(_imported(database, tmp_path, *ROWS)) == (3, 0, 0, 0)
    assert _counts(_imported(database, tmp_path, *ROWS)) == (0, 0, 3, 0)
    again = _imported(database, tmp_path, ["8415101000", "空调", "套", "", ""], preview=True)
    assert [(one.row, one.column, one.old, one.new) for one in again.changes] == [
        (2, "商品名称", "独立式空气调节器", "空调"), (2, "计量单位", "台", "套"),
    ]  # fmt: skip


def test_a_changed_name_is_found_by_the_new_one_alone(database: Database, tmp_path: Path) -> None:
    _imported(database, tmp_path, *ROWS)
    _imported(database, tmp_path, ["8301100000", "铜制门锁", "千克", "", ""])
    assert (_found(database, "挂锁"), _found(database, "门锁")) == ([], ["8301100000"])


def test_a_row_that_cannot_be_taken_is_named_with_its_column_and_reason(database: Database, tmp_path: Path) -> None:
    report = _imported(
        database, tmp_path, *ROWS, ["", "无码", "", "", ""], ["8301100000", "重复", "", "", ""],
        ["8301200000", "", "", "", ""], ["8301300000", "锁", "", "2026-02-01", "2026-01-31"],
        ["8301400000", "锁", "", "明天", ""],
    )  # fmt: skip
    assert _counts(report) == (3, 0, 0, 5)
    assert [(one.row, one.column, one.reason) for one in report.refusals] == [
        (5, "HS编码", "第5行A列：不能为空，请填写"),
        (6, "HS编码", "第6行A列：与第4行的代码重复，请核对后只保留一行"),
        (7, "商品名称", "第7行B列：不能为空，请填写"),
        (8, "有效期止", "第8行E列：有效期止（2026-01-31）早于有效期起（2026-02-01），请核对"),
        (9, "有效期起", "第9行D列：“明天”不是日期，请按“2026-1-5”的形式填写"),
    ]


def test_a_code_is_found_by_how_it_begins_and_a_name_by_what_it_contains(database: Database, tmp_path: Path) -> None:
    _imported(database, tmp_path, *ROWS)
    assert _found(database, "8415") == ["8415101000", "8415102100"]
    assert _found(database, "83") == ["8301100000"]
    assert _found(database, "15") == []
    assert _found(database, " 空气 ") == ["8415101000", "8415102100"]
    assert _found(database, "室内机") == ["8415102100"]
    assert _found(database, "飞机") == []
    assert _found(database, "") == ["8301100000", "8415101000", "8415102100"]


def test_one_character_of_a_name_asks_for_another(database: Database) -> None:
    with pytest.raises(Problem) as refused:
        _found(database, "锁")
    assert [(one.path, one.code) for one in refused.value.errors] == [("/q", "too_short")]


def test_an_entry_may_be_chosen_on_its_first_and_last_day_and_not_beside_them(
    database: Database, tmp_path: Path
) -> None:
    _imported(database, tmp_path, *ROWS)
    assert "8415102100" in _found(database, "") and "8301100000" in _found(database, "")
    assert "8415102100" not in _found(database, "", date(2026, 11, 21))
    assert "8301100000" not in _found(database, "", date(2026, 11, 19))


def test_a_page_has_twenty_entries_and_the_next_one_begins_behind_it(database: Database, tmp_path: Path) -> None:
    rows = [[f"84{number:02}", f"机器{number:02}", "", "", ""] for number in range(41)]
    _imported(database, tmp_path, *rows)
    with database.read() as session:
        first, after = queries.search(session, "hs_codes", "84", DAY)
        second, behind = queries.search(session, "hs_codes", "机器", DAY, after=after)
        third, end = queries.search(session, "hs_codes", "84", DAY, after=behind)
    codes = [one.code for page in (first, second, third) for one in page]
    assert codes == [str(row[0]) for row in rows] and [len(first), len(second), len(third)] == [20, 20, 1]
    assert end is None


def test_details_and_rows_below_an_entry_come_in_their_order(database: Database, tmp_path: Path) -> None:
    headings = ["代码", "名称", "上级代码", "顺序", "选项", "必填"]
    report = _imported(
        database, tmp_path, ["use", "用途", "8415101000", "2", "", "是"],
        ["kind", "类型", "8415101000", "1", "分体式、窗式", "否"], ["use", "用途", "8301100000", "1", "", ""],
        ["bad", "错", "8301100000", "一", "", "也许"], of="hs_features", headings=headings,
    )  # fmt: skip
    assert _counts(report) == (3, 0, 0, 1)
    assert sorted(one.column for one in report.refusals) == ["必填", "顺序"]
    with database.read() as session:
        words = CatalogueWords(session)
        rows = words.rows("hs_features", ["8415101000", "9"])
        assert rows is not None and rows["9"] == []
        assert [(one.code, one.value("required"), one.value("options")) for one in rows["8415101000"]] == [
            ("kind", False, ["分体式", "窗式"]), ("use", True, None),
        ]  # fmt: skip
        assert words.rows("indicators", ["road"]) is None and words.entries("indicators", ["1"]) is None


@pytest.fixture
def filled(database: Database) -> Database:
    """20 000 entries, among which few names have 稀土."""
    entries: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    for number in range(20_000):
        name = f"{'稀土' if number % 997 == 0 else '普通'}材料{number}"
        entry_id = UUID(int=number)
        entries.append({
            "id": entry_id, "catalogue": "hs_codes", "parent": "", "code": f"{number:010}", "name": name,
            "folded_name": name, "position": 0, "detail": {}, "updated_at": clock.now(),
        })  # fmt: skip
        pairs += [{"bigram": pair, "catalogue": "hs_codes", "entry_id": entry_id} for pair in (name[:2], "材料")]
    with database.write() as session:
        session.execute(insert(CatalogueEntry), entries)
        session.execute(insert(CatalogueBigram), pairs)
        if database.engine.dialect.name == "postgresql":
            session.execute(text("ANALYZE catalogue_entries"))
            session.execute(text("ANALYZE catalogue_bigrams"))
    return database


def test_no_search_reads_the_whole_catalogue(filled: Database) -> None:
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        sent.append((statement, parameters))

    event.listen(filled.engine, "before_cursor_execute", note)
    try:
        for q in ("0000019", "稀土", "材料", ""):
            assert len(_found(filled, q)) == 20, q
    finally:
        event.remove(filled.engine, "before_cursor_execute", note)
    lines: list[str] = []
    with filled.engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN " if filled.engine.dialect.name == "sqlite" else "EXPLAIN "
        for statement, parameters in sent:
            lines += [str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters)]
    shown = "\n".join(lines)
    assert "SCAN catalogue_entries" not in shown and "Seq Scan on catalogue_entries" not in shown
