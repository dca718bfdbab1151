"""The five levels (评价等级) and their tags (评价标签), as the national indicators list them.

Offices may not add or remove tags (spec/b_rating §3.4). A tag that is taken out of use stays here
with `enabled` False, because ratings refer to it; a changed list gets the next `VERSION`.
"""

from dataclasses import dataclass

VERSION = 1

LEVELS = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
WORST_GOOD = 3
"""Levels below are bad ratings (差评)."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a level; `code` is level × 100 + n."""

    code: int
    text: str
    level: int
    enabled: bool = True


_TEXTS: dict[int, tuple[int, tuple[str, ...]]] = {
    5: (510, (
        "一窗受理一次办结", "可以先受理后补材料", "不用提交证明", "可以全程网上办理",
        "可以使用手机办理", "可以就近办理", "无需材料直接办理", "服务热情效率高",
    )),
    4: (406, (
        "填写一张表单就可完成申报", "在线提交材料窗口核验", "一张清单告知全部申报材料", "用告知承诺减免申报材料",
        "可以在线预约办理", "跑大厅一次办完", "可以使用自助机办理", "服务态度较好",
    )),
    3: (307, (
        "一次性告知需要补正的材料", "提供申报材料样本", "在承诺的时间内办结", "办事指南指引准确",
        "按办事指南要求的材料即可办理", "可以快递送达", "跑动次数与承诺的一致", "服务态度一般",
    )),
    2: (207, (
        "没有提供材料样本", "没有提供材料清单", "未在承诺时间内办结", "同样内容的证明材料被要求多次提交",
        "承诺网办但无法在线办理", "在线预约办理后到实体大厅重复取号排队", "窗口人员业务不熟练", "服务态度生硬",
    )),
    1: (108, (
        "在办事指南之外增加新的审批条件", "需提供办事指南之外的申报材料", "无理由超过法定办理时间",
        "办事指南提供样本有错", "承诺在线收取申报材料实际无法收取", "多头跑窗口和部门",
        "跑动次数与承诺的不一致", "服务态度差效率低",
    )),
}  # fmt: skip

TAGS = {
    first + number: Tag(first + number, text, level)
    for level, (first, texts) in _TEXTS.items()
    for number, text in enumerate(texts)
}


def tags_of(level: int) -> tuple[Tag, ...]:
    """The tags that can be chosen with a level; none for an unknown level."""
    return tuple(tag for tag in TAGS.values() if tag.level == level and tag.enabled)


def is_bad(level: int) -> bool:
    """Whether a rating of that level is a bad one (差评)."""
    return level < WORST_GOOD
