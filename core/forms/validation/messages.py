"""Faults of answers; the sentences of an item's own faults stand with its type (`items/`)."""

from core.errors import Fault
from core.forms.items.item import Item

UNKNOWN_ITEM = "填报内容中有本表单没有的项，请删除该项，或更新小程序后重试"
ALL_NOT_APPLICABLE = "检查发现了问题，但各处置项均填“不适用”，请确认无需处置"
NOT_AN_OBJECT = "填报内容的格式不正确，请更新小程序后重试"


def answer_fault(item: Item, code: str, at: str, sentence: str | None = None) -> Fault:
    """A fault of one item; `sentence` takes the place of the standard one."""
    return Fault(at, code, sentence or item.definition.sentence(code))
