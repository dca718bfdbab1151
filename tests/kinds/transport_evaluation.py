"""达标评价 as `spec/f` §8.1 has it: an agency that the enterprise chooses, three reviewers who all confirm, publicity.

Declared as its system will declare it; the forms are short. `transport` takes it into its room.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from accounts.models import Office, OfficeKind, User
from accounts.verbs import Verb
from assets.files.purposes import Category
from core.errors import Fault
from core.identifiers import as_uuid
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    DEADLINE,
    DECLARATION_ATTACHMENT,
    NATURAL,
    STAYS,
    WAITING,
    WORKING,
    ZERO,
    Clock,
    Document,
    Move,
    Named,
    Party,
    Post,
    Status,
    Step,
)
from enterprise.filings.declaring.kinds import FilingKind
from enterprise.filings.steps.routing import by_place
from tests.kinds.forms import form, item

AUTHORITY = Post("transport_authority", "主管机关", Verb.TRANSPORT_SUPERVISE.value)
AGENCY = Party("agency", "评价机构", Verb.TRANSPORT_EVALUATE.value, named_in="agency")
REVIEWER = Party("reviewer", "评审员", Verb.TRANSPORT_REVIEW.value, least=3, leader=True, named_in="reviewers")

APPLICATION = form(
    "transport-evaluation",
    "达标评价申请",
    item("area", "备案地", "region", required=True),
    item("agency", "评价机构", "text", required=True),
    item("self_score", "自评分", "number", required=True),
)
ASSIGN = form(
    "transport-assign",
    "指定评审员",
    item("reviewers", "评审员", "group", required=True, items=[
        item("username", "用户名", "text", required=True),
        item("leader", "评审组长", "boolean"),
    ]),
)  # fmt: skip
SCORE = form("transport-score", "打分", item("total", "总分", "number", required=True))
FORMS = (APPLICATION, ASSIGN, SCORE)
REPORT = Document(Category("evaluation_report", "评价报告", frozenset({DECLARATION_ATTACHMENT})))


def _agency(move: Move) -> Mapping[Party, Sequence[Named]]:
    office_id = as_uuid(move.data["agency"])
    office = move.session.get(Office, office_id) if office_id is not None else None
    fits = office is not None and office.kind == OfficeKind.EVALUATION_AGENCY.value
    return {AGENCY: [Named(office.name, office_id=office.id)] if office is not None and fits else []}


def _reviewers(move: Move) -> Mapping[Party, Sequence[Named]]:
    rows = move.data["reviewers"]
    asked = select(User.username, User.id).where(User.username.in_([row["username"] for row in rows]))
    ids = {row.username: row.id for row in move.session.execute(asked)}
    named = [Named(row["username"], user_id=ids.get(row["username"]), leader=bool(row.get("leader"))) for row in rows]
    return {REVIEWER: named}


def _known(move: Move) -> list[Fault]:
    """Reviewers are users of the agency that names them."""
    assert move.actor is not None
    rows = move.data["reviewers"]
    asked = select(User.username).where(
        User.username.in_([row["username"] for row in rows]), User.office_id.in_(move.actor.offices)
    )
    own = set(move.session.scalars(asked))
    return [
        Fault(f"/data/reviewers/{place}/username", "unknown_user", "该评审员未受聘于本机构，请核对后重新填写")
        for place, row in enumerate(rows)
        if row["username"] not in own
    ]


NAMING: dict[str, Any] = {"form": "transport-assign", "names": _reviewers, "check": _known}
STATUSES = [
    Status("draft", "未提交", APPLICANT, edits=APPLICANT),
    Status("applied", "申请中", AGENCY, todo="达标评价待受理"),
    Status("assigned", "考评中", AGENCY, todo="达标评价待打分"),
    Status("scored", "待确认", [REVIEWER, AGENCY], todo="达标评价待确认"),
    Status("to_publish", "待公示", AGENCY, todo="达标评价待公示"),
    Status("publishing", "公示中", AGENCY),
    Status("paused", "暂停公示", AGENCY),
    Status("to_issue", "待发证", AGENCY, todo="达标证书待制发"),
    Status("issued", "已发证", end=True),
    Status("rejected", "公示不通过", end=True),
]
STEPS = [
    Step("open", "达标申请", None, "draft", APPLICANT),
    Step("submit", "提交", "draft", "applied", APPLICANT, sends=True, names=_agency),
    Step("assign", "指定评审员", "applied", "assigned", AGENCY, **NAMING),
    Step("score", "打分", "assigned", "scored", AGENCY, form="transport-score", documents=[REPORT]),
    Step("confirm", "确认考评", "scored", STAYS, REVIEWER, confirms=True),
    Step("object", "异议", "scored", "assigned", REVIEWER, comment=True, clears=REVIEWER),
    Step("replace", "更换评审员", "scored", STAYS, AGENCY, **NAMING),
    Step("conclude", "提交公示", "scored", "to_publish", AGENCY, needs_confirmed=REVIEWER),
    Step("publish", "开始公示", ["to_publish", "paused"], "publishing", [AGENCY, AUTHORITY], many=True),
    Step("pause", "暂停公示", "publishing", "paused", [AGENCY, AUTHORITY]),
    Step("reject", "公示不通过", "publishing", "rejected", [AGENCY, AUTHORITY], comment=True),
    Step("complete", "公示完毕", "publishing", "to_issue", [AGENCY, AUTHORITY], needs_over="publicity", many=True),
    Step("issue", "发证", "to_issue", "issued", AGENCY),
]
CLOCKS = [
    Clock("publicity", 5, WORKING, WAITING, ["publishing"], pauses_in=["paused"], again=ZERO, label="公示期"),
    Clock("acceptance", 5, NATURAL, DEADLINE, ["applied"], label="受理期限"),
]


def transport_evaluation(**changes: Any) -> FilingKind:
    """The kind; changes are of the declaration."""
    declared: dict[str, Any] = {
        "code": "transport_evaluation",
        "title": "达标评价",
        "form_code": "transport-evaluation",
        "statuses": STATUSES,
        "steps": STEPS,
        "clocks": CLOCKS,
        "route": by_place("area", OfficeKind.TRANSPORT_AUTHORITY.value),
    }
    return FilingKind(**{**declared, **changes})
