"""Rating codes and ratings of the demo, with follow-ups in several states."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import Office
from core.actor import Actor
from core.db import Database
from demo import accounts
from feedback.codes import operations as codes
from feedback.codes.catalogue import tags_of
from feedback.follow_ups import operations as follow_ups
from feedback.models import Rating, RatingCode
from feedback.ratings import publication
from feedback.ratings.fields import Sent, read_form
from feedback.ratings.rating_window import RatingRules
from feedback.ratings.submitting import Sender, submit
from feedback.statistics import tallies

RATINGS = 48
_IDS = UUID("b3f0a7de-52c4-4f0f-9d8e-6a1c2b3d4e5f")
_ORG = "常州市天宁区市场监督管理局"
_HOTLINE = "0519-00000000"
"""A number that cannot exist: none has a 0 after the area code."""
_WINDOWS = (("营业执照办理", "1号窗口"), ("工业产品生产许可证受理", "2号窗口"), ("食品经营许可", "3号窗口"))
_LEVELS = (5, 5, 4, 5, 3, 5, 5, 4, 5, 5, 4, 3)
_PRAISE = ("办得很快，一次就办好了", "窗口人员很耐心", "", "材料清单清楚", "", "希望增加停车位", "")
_COMPLAINTS = (
    "同样的证明材料让我交了两次", "排队近两个小时没人解释", "让我在三个窗口之间来回跑", "说好当天办结，等了一周",
    "办事指南上的样本填写有错误", "态度冷淡，问什么都说不知道",
)  # fmt: skip

# Steps taken on the bad ratings, in order of the ratings; none on the last one.
_CALLED = ("contact", "verify")
_DONE = (
    (*_CALLED, "rectify", "reply", "close"), (*_CALLED, "rectify", "reply", "close"), (*_CALLED, "rectify", "reply"),
    ("assign", *_CALLED, "rectify"), _CALLED, (),
)  # fmt: skip
_BODIES = {
    "contact": {"channel": "phone", "result": "reached", "note": "已向评价人了解情况"},
    "verify": {"verify_result": "confirmed", "classification": "at_once"},
    "rectify": {"measures": "对窗口人员进行业务培训，并更新办事指南"},
    "reply": {"feedback_text": "您反映的情况属实，我们已经整改并向您致歉，感谢监督", "feedback_channel": "phone"},
    "close": {"satisfied_after": "satisfied"},
}
_SUPERVISE = frozenset({"assign", "close"})


@dataclass(frozen=True, slots=True)
class _People:
    officer: Actor
    handler: Actor
    supervisor: Actor


def load(database: Database) -> None:
    """Make what is missing; a form that is sent again makes no second rating."""
    with database.read() as session:
        people = _People(*(accounts.actor_of(session, name, "操作员某某") for name in accounts.RATING_POSTS))
    with database.write() as session:
        offices.set_hotline(session, session.get_one(Office, people.officer.office_id), _HOTLINE)
        windows = [
            _code(session, people.officer, f"window/{number}", "per_visit", matter, window)
            for number, (matter, window) in enumerate(_WINDOWS)
        ]
        _code(session, people.officer, "case/0", "per_matter", "营业执照变更登记", None)
        _code(session, people.officer, "window/new", "per_visit", "特种设备使用登记", "4号窗口", generated=False)
    forms = list(_forms())
    for start in range(0, len(forms), 12):
        with database.write() as session:
            for number, sent in enumerate(forms[start : start + 12], start):
                _rate(session, people, windows[number % len(windows)], number, sent)
    with database.write() as session:
        tallies.fold(session)


def _code(
    session: Session, officer: Actor, name: str, kind: str, matter: str, window: str | None, *, generated: bool = True
) -> RatingCode:
    code_id = uuid5(_IDS, name)
    known = session.get(RatingCode, code_id)
    if known is not None:
        return known
    body = {"id": str(code_id), "kind": kind, "matter_name": matter, "org_name": _ORG, "window": window}
    if kind == "per_matter":
        body["matter_ref"] = "演示办件0001"
    code, _ = codes.create(session, officer, body)
    return codes.generate(session, officer, code_id) if generated else code


def _forms() -> Iterator[Sent]:
    """The forms, the same every time; every eighth one is a bad rating."""
    some = Random(2026)  # noqa: S311 - made-up data, no secret
    bad = 0
    for number in range(RATINGS):
        level, comment = _LEVELS[number % len(_LEVELS)], _PRAISE[number % len(_PRAISE)]
        if number % 8 == 7:
            level, comment = 1 + bad % 2, _COMPLAINTS[bad]
            bad += 1
        tags = [tag.code for tag in some.sample(tags_of(level), 2)]
        yield Sent("办事人某某", f"1380000{1000 + number}", level, tags, comment, submission_id=f"demo-{number}")


def _rate(session: Session, people: _People, code: RatingCode, number: int, sent: Sent) -> None:
    form, sender = read_form(code.token or "", sent), Sender("192.0.2.1", "演示数据")
    rated = submit(session, RatingRules(), form, sender)
    if not rated.new:
        return
    if number % 8 != 7:
        if number % 5:  # the others stay pending, so that there is something to decide
            publication.release_several(session, people.supervisor, [rated.id])
        return
    for action in _DONE[number // 8]:
        actor = people.supervisor if action in _SUPERVISE else people.handler
        body = {"handler_id": str(people.handler.user_id)} if action == "assign" else _BODIES[action]
        version = session.get_one(Rating, rated.id, populate_existing=True).version
        follow_ups.act(session, actor, rated.id, action, {**body, "version": version})
