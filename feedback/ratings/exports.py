"""Ratings and their statistics as tables: the rows of .xlsx and .csv files. Numbers and comments are masked."""

from collections.abc import Iterable, Iterator
from typing import Any

from assets.tables.exports import whole_list
from assets.tables.writing import Sheet, figure_cell
from core.actor import Actor
from core.db import Database
from core.deadlines.notes import deadline_note
from feedback.codes.catalogue import LEVELS, TAGS
from feedback.codes.kinds import CHANNELS, PUBLICITY
from feedback.models import Rating
from feedback.ratings import numbers
from feedback.ratings.listing import ROWS, Filters, conditions, order
from feedback.workflows import RATING

_LIST_COLUMNS = (
    "提交时间", "事项名称", "承办单位", "窗口", "渠道", "评价等级", "评价标签", "具体意见", "手机号", "是否实名",
    "短信验证", "来自办公网络（仅供参考）", "处理状态", "整改期限", "期限说明", "办结时间", "公开状态",
)  # fmt: skip

_FIGURES = {
    "ratings": "评价总数", **{f"level_{level}": label for level, label in LEVELS.items()}, "good": "好评",
    "good_rate": "好评率", "neutral": "其中基本满意", "bad": "差评", "bad_rate": "差评率", "satisfaction": "满意度",
    "average_stars": "平均星级", "matters": "办结事项", "rated_matters": "已评价事项", "active_rate": "主动评价率",
    "real_bad": "实名差评", "called_back": "已回访", "call_back_rate": "实名差评回访率",
    "due_or_closed": "到期或办结差评", "closed_in_time": "按期整改", "in_time_rate": "差评按期整改率",
    "overdue": "超期未整改", "from_staff_addresses": "来自办公网络的评价（仅供参考）",
}  # fmt: skip
_SUMMARY_COLUMNS = ("承办单位", *_FIGURES.values())
_RATES = frozenset(name for name in _FIGURES if name.endswith("_rate"))


def list_sheet(rows: Iterable[Any], actor: Actor) -> Sheet:
    """Rows of `export_rows` as somebody sees them; they are read while the sheet is written."""
    return Sheet("评价明细", _LIST_COLUMNS, (_list_cells(row, actor) for row in rows))


def export_rows(database: Database, actor: Actor, filters: Filters) -> Iterator[Any]:
    """All rows of the list, in chunks. Raises 422 `export_too_large` at the first row when there are too many."""
    with database.read() as session:
        found = conditions(session, actor, filters)
    yield from whole_list(database, ROWS, order(filters), *found)


def _list_cells(row: Any, actor: Actor) -> list[Any]:
    """The cells of a rating for somebody, in the order of `_LIST_COLUMNS`."""
    rating: Rating = row.Rating
    return [
        rating.submitted_at, row.matter_name, row.org_name, row.window, CHANNELS[rating.channel], LEVELS[rating.level],
        "；".join(TAGS[code].text for code in rating.tags if code in TAGS), rating.public_comment,
        numbers.masked(actor, rating, row.created_by), "是" if rating.real_name else "否",
        "是" if rating.phone_verified else "否",
        "是" if rating.from_staff_address else "否", RATING.statuses[rating.status], rating.due_on,
        deadline_note(rating), rating.closed_at,
        PUBLICITY[rating.publicity],
    ]  # fmt: skip


def summary_sheet(figures: dict[str, Any]) -> Sheet:
    """The statistics by office, the total first; what has no value is “–”."""
    rows = [[row["office_name"], *(figure_cell(row[name], rate=name in _RATES) for name in _FIGURES)]
            for row in (figures["total"], *figures["rows"])]  # fmt: skip
    return Sheet("评价统计", _SUMMARY_COLUMNS, rows)


def breakdown_sheet(by: str, rows: list[dict[str, Any]]) -> Sheet:
    """The figures cut by matter, window or month."""
    names = [name for name in _FIGURES if rows and name in rows[0]]
    cells = [[row["name"], *(figure_cell(row[name], rate=name in _RATES) for name in names)] for row in rows]
    return Sheet(f"按{by}", (by, *(_FIGURES[name] for name in names)), cells)


def tag_sheet(figures: dict[str, Any]) -> Sheet:
    """How often each tag was chosen."""
    rows = [[LEVELS[tag["level"]], tag["text"], tag["count"]] for tag in figures["tags"]]
    return Sheet("标签分布", ("评价等级", "评价标签", "次数"), rows)
