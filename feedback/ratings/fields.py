"""What a rater sends: the fields, validated and brought into the form in which they are stored, or their faults."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from core import privacy
from core.db import canonical_json
from core.errors import Fault
from core.identifiers import sent_mobile
from core.text import MEANINGLESS, clean, clean_person, has_words
from feedback.codes.catalogue import LEVELS, TAGS, is_bad

NAME_LIMIT, COMMENT_LIMIT, MOST_TAGS, LEAST_REASON = 50, 500, 8, 5


@dataclass(frozen=True, slots=True)
class Sent:
    """The fields as they came, from JSON or from the page's form (where numbers are text)."""

    rater_name: Any = None
    mobile: Any = None
    level: Any = None
    tags: Any = ()
    comment: Any = None
    real_name: Any = True
    submission_id: Any = None


@dataclass(frozen=True, slots=True)
class Fields:
    """Faultless fields."""

    rater_name: str
    mobile: str
    level: int
    tags: tuple[int, ...]
    comment: str | None
    real_name: bool
    submission_id: str | None

    @property
    def bad(self) -> bool:
        """Whether this is a bad rating (差评)."""
        return is_bad(self.level)


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it was posted for the code with `token`: its fields, or all faults at once with their places.

    `key` recognises the same form posted again; None when it carried no id or is faulty.
    """

    token: str
    fields: Fields | None
    faults: list[Fault]
    key: str | None


def read_form(token: str, sent: Sent) -> Form:
    """Validate what was posted, without the database."""
    fields, faults = validate(sent)
    key = None
    if fields is not None and fields.submission_id is not None:
        key = privacy.keyed_hash("rating submission", token, canonical_json(asdict(fields)).decode())
    return Form(token, fields, faults, key)


def validate(sent: Sent) -> tuple[Fields | None, list[Fault]]:
    """The fields, or all faults at once with their places."""
    sent, mobile = _cleaned(sent), sent_mobile(sent.mobile)
    faults: list[Fault] = []
    name = _name(sent.rater_name, faults, demanded=sent.real_name is not False)
    if not sent.mobile:
        faults.append(Fault("/mobile", "required", "请填写手机号"))
    elif mobile is None:
        faults.append(Fault("/mobile", "bad_mobile", "手机号不正确，请填写11位大陆手机号"))
    level = _whole_number(sent.level)
    if level not in LEVELS:
        level = None
        faults.append(Fault("/level", "required" if sent.level in (None, "") else "unknown_level", "请选择评价等级"))
    tags = _tags(sent.tags, level, faults)
    comment = _comment(sent.comment, faults)
    if level is not None and is_bad(level):
        if not tags and not any(fault.path.startswith("/tags") for fault in faults):
            faults.append(Fault("/tags", "required", "请至少选择一项不满意的原因"))
        if sum(c.isalnum() for c in comment) < LEAST_REASON and not any(fault.path == "/comment" for fault in faults):
            faults.append(Fault("/comment", "required", f"请填写具体意见，不少于{LEAST_REASON}个字，以便核实整改"))
    if not isinstance(sent.real_name, bool):
        faults.append(Fault("/real_name", "wrong_type", "请选择是否实名评价"))
    submission_id = sent.submission_id or None
    if submission_id is not None and not (isinstance(submission_id, str) and len(submission_id) <= 64):
        faults.append(Fault("/submission_id", "bad_format", "页面已失效，请刷新页面后重新提交"))
    if faults or level is None or mobile is None:
        return None, faults
    return Fields(name, mobile, level, tags, comment or None, sent.real_name, submission_id), []


def _cleaned(sent: Sent) -> Sent:
    """The texts as they are stored; what is no text is refused where its field is checked."""
    return replace(
        sent,
        rater_name=" ".join(clean_person(sent.rater_name).split()) if isinstance(sent.rater_name, str) else "",
        mobile=clean(sent.mobile) if isinstance(sent.mobile, str) else None,
        comment=clean(sent.comment) if isinstance(sent.comment, str) else sent.comment,
    )


def _name(name: str, faults: list[Fault], *, demanded: bool) -> str:
    """Who rates under a real name gives it; of an anonymous rating (匿名) no name is asked."""
    if not demanded:
        return name[:NAME_LIMIT]
    if not name:
        faults.append(Fault("/rater_name", "required", "请填写姓名或单位名称"))
    elif not has_words(name):
        faults.append(Fault("/rater_name", "meaningless", f"姓名或单位名称{MEANINGLESS}"))
    elif len(name) > NAME_LIMIT:
        faults.append(Fault("/rater_name", "too_long", f"姓名或单位名称不能超过{NAME_LIMIT}个字，请缩短后重试"))
    return name


def _whole_number(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 4:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _tags(value: Any, level: int | None, faults: list[Fault]) -> tuple[int, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        faults.append(Fault("/tags", "wrong_type", "评价标签应为列表，请重新选择"))
        return ()
    if len(value) > MOST_TAGS:
        faults.append(Fault("/tags", "too_many", f"评价标签最多选择{MOST_TAGS}项，请删减"))
        return ()
    codes: list[int] = []
    for place, one in enumerate(value):
        code = _whole_number(one)
        tag = TAGS.get(code) if code is not None else None
        if tag is None or not tag.enabled:
            faults.append(Fault(f"/tags/{place}", "unknown_tag", "没有这个评价标签，请重新选择"))
        elif level is not None and tag.level != level:
            message = f"“{tag.text}”不是“{LEVELS[level]}”的评价标签，请重新选择"
            faults.append(Fault(f"/tags/{place}", "tag_of_another_level", message))
        elif tag.code in codes:
            faults.append(Fault(f"/tags/{place}", "repeated_tag", f"评价标签“{tag.text}”重复，请只选一次"))
        else:
            codes.append(tag.code)
    return tuple(codes)


def _comment(value: Any, faults: list[Fault]) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        faults.append(Fault("/comment", "wrong_type", "具体意见应为文字，请重新填写"))
        return ""
    if len(value) > COMMENT_LIMIT:
        faults.append(Fault("/comment", "too_long", f"具体意见不能超过{COMMENT_LIMIT}个字，请缩短后重试"))
    return value
