"""Ratings and their statistics as tables: the rows of .xlsx and .csv files. Numbers and comments are masked."""

from collections.abc import Iterator
from typing import Any

from assets.tables.exports import refuse_too_large
from assets.tables.writing import Percent
from core.actor import Actor
from core.database.paging import walk
from core.db import Database
from core.deadlines.notes import deadline_note
from feedback.codes.catalogue import LEVELS, TAGS
from feedback.codes.kinds import CHANNELS, PUBLICITY
from feedback.models import Rating
from feedback.ratings import numbers
from feedback.ratings.listing import ROWS, Filters, conditions, order
from feedback.workflows import RATING

LIST_COLUMNS = (
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
SUMMARY_COLUMNS = ("承办单位", *_FIGURES.values())
_PERCENT = frozenset(name for name in _FIGURES if name.endswith("_rate"))


def export_rows(database: Database, actor: Actor, filters: Filters) -> Iterator[Any]:
    """All rows of the list, in chunks, so that neither memory nor a transaction is held; for `list_cells`.

    Raises 422 `export_too_large` at the first row when there are too many.
    """
    with database.read() as session:
        found = conditions(session, actor, filters)
        refuse_too_large(session, Rating.id, *found)
    yield from walk(database, ROWS, order(filters), *found)


def list_cells(row: Any, actor: Actor) -> list[Any]:
    """The cells of a rating for somebody, in the order of `LIST_COLUMNS`."""
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


def summary_cells(figures: dict[str, Any]) -> list[list[Any]]:
    """The rows of the statistics, the total first, in the order of `SUMMARY_COLUMNS`; what has no value is “–”."""
    return [[row["office_name"], *(_cell(name, row[name]) for name in _FIGURES)]
            for row in (figures["total"], *figures["rows"])]  # fmt: skip


def _cell(name: str, value: float | None) -> Any:
    if value is None:
        return "–"
    return Percent(value) if name in _PERCENT else value


TAG_COLUMNS = ("评价等级", "评价标签", "次数")


def tag_cells(figures: dict[str, Any]) -> list[list[Any]]:
    """How often each tag was chosen, in the order of `TAG_COLUMNS`."""
    return [[LEVELS[tag["level"]], tag["text"], tag["count"]] for tag in figures["tags"]]
