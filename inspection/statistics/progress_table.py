"""Work statistics (工作统计) as a table: the rows of the .xlsx and .csv files, the total last."""

from typing import Any

from assets.tables.writing import Sheet, figure_cell

_FIGURES = {
    "planned": "应检查生产企业", "planned_visited": "应检查企业中已到访", "progress": "检查进度",
    "checked": "已检查生产企业", "unable": "生产企业无法检查", "sales_checked": "已检查销售企业",
    "sales_unable": "销售企业无法检查",
    "problem_enterprises": "发现问题企业", "disposal_done": "处置完成企业",
    "disposal_in_progress": "处置办理中企业",
    "without_disposal": "未作处置企业", "spot_enterprises": "抽查企业", "spot_batches": "抽查批次",
    "spot_without_sample": "未抽到样", "failed_batches": "不合格批次", "failed_rate": "不合格发现率",
}  # fmt: skip
_RATES = frozenset({"progress", "failed_rate"})
_COLUMNS = ("行政区划代码", "行政区划", *_FIGURES.values())


def sheet(figures: dict[str, Any]) -> Sheet:
    """A row each region and the total; a rate of nothing is “–”."""
    rows = [_cells(row, row["region_name"]) for row in figures["rows"]]
    # The total says its own name: an enterprise that stands in several rows is counted in it once.
    return Sheet("工作统计", _COLUMNS, [*rows, _cells(figures["total"], "合计")])


def _cells(row: dict[str, Any], name: str | None) -> list[Any]:
    return [row["region_code"], name, *(figure_cell(row[one], rate=one in _RATES) for one in _FIGURES)]
