"""A declaration that cannot work fails when it is loaded, with a sentence that names the line on which it stands."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accounts.verbs import Verb
from assets.files.purposes import Category
from enterprise.certificates.declarations import Number
from enterprise.filings.declaring.broken_kinds import BrokenKind
from enterprise.filings.declaring.declarations import (
    APPLICANT,
    BACK,
    DEADLINE,
    DECLARATION_ATTACHMENT,
    NATURAL,
    STAYS,
    SYSTEM,
    Claim,
    Clock,
    Days,
    Document,
    Lock,
    Party,
    Post,
    Status,
    Step,
)
from enterprise.filings.declaring.kinds import FilingKind, FilingKinds
from enterprise.production.kinds.posts import OFFICE
from tests.enterprise.filings.invented import FORM

OPEN = Step("open", "发起", None, "draft", APPLICANT)
SEND = Step("submit", "提交", "draft", "first", APPLICANT, sends=True)
PASS = Step("pass", "通过", "first", "done", OFFICE)
DRAFT = Status("draft", "填写中", APPLICANT, edits=APPLICANT)
FIRST = Status("first", "初审", OFFICE)
DONE = Status("done", "办结", end=True)
TERM = Clock("term", 3, NATURAL, DEADLINE, ["first"])
REVIEWER = Party("reviewer", "评审员", Verb.TRANSPORT_REVIEW.value)
NAMING = Step("assign", "指定", "first", STAYS, OFFICE, names=lambda _move: {REVIEWER: []})
EXPIRE = Step("expire", "到期", "first", "done", SYSTEM)


def small(
    *more: Step, steps: Sequence[Step] = (OPEN, SEND, PASS), statuses: Sequence[Status] = (DRAFT, FIRST, DONE),
    **changes: Any,
) -> FilingKind:  # fmt: skip
    declared: dict[str, Any] = {"code": "small", "title": "小", "form_code": "invented"}
    return FilingKind(statuses=statuses, steps=[*steps, *more], **{**declared, **changes})


def fitted(more: Sequence[Step] = (), **changes: Any) -> FilingKinds:
    return FilingKinds([small(*more, **changes)], {"invented": FORM})


ELEVEN: dict[str, tuple[Callable[[], Any], str]] = {
    "a dead status that is no end": (
        lambda: small(
            Step("stall", "搁置", "first", "stalled", OFFICE), statuses=(DRAFT, FIRST, DONE, Status("stalled", "搁置")),
        ),
        "the status stalled is dead: no step leaves it, and it is no end",
    ),
    "a misspelt post": (
        lambda: small(Step("deny", "不予", "first", "done", Post("examiner", "审查岗", "filings.reveiw"))),
        "the post examiner of deny has the unknown verb filings.reveiw",
    ),
    "a step out of an end": (
        lambda: small(Step("reopen", "重开", "done", "draft", OFFICE)),
        "reopen leads out of done, which is an end",
    ),
    "an opener who cannot be there yet": (
        lambda: small(
            steps=(Step("open", "发起", None, "draft", Party("reviewer", "评审员", OFFICE.verb)), SEND, PASS),
        ),
        "open is opened by reviewer, who is no party before it is open",
    ),
    "a fixed field that no form has": (
        lambda: fitted(fixed=frozenset({"whish"})),
        "fixed names whish, a field that the form invented does not have",
    ),
    "a listed field that no form has": (
        lambda: fitted(listed=("whish",)),
        "listed names whish, a field that the form invented does not have",
    ),
    "a due day in a field that no form has": (
        lambda: fitted(due_from="due_day"),
        "due_from names due_day, a field that the form invented does not have",
    ),
    "sending from where nobody may edit": (
        lambda: small(Step("resend", "再提交", "first", "done", APPLICANT, sends=True)),
        "resend sends from first, in which nobody may edit",
    ),
    "confirmations of the system": (
        lambda: small(replace(EXPIRE, target=STAYS, confirms=True)),
        "expire waits for confirmations of system, who are no named party",
    ),
    "words that refuse an action that no step declares": (
        lambda: small(refusals={("done", "withdarw"): "已办结，不可撤回"}),
        "refusals has words for withdarw, an action that no step declares",
    ),
    "waiting for a clock that no path starts": (
        lambda: small(Step("end", "结束", "first", "done", OFFICE, needs_over="publicity"), clocks=[TERM]),
        "end waits for publicity, a clock that does not run in first",
    ),
    "a comment that the system must give": (
        lambda: small(replace(EXPIRE, comment=True)),
        "expire demands a comment of the system",
    ),
    "a clock that rings what can never be taken": (
        lambda: small(EXPIRE, clocks=[Clock("term", 3, NATURAL, DEADLINE, ["draft", "first"], rings="expire")]),
        "term rings expire in draft, where the system cannot take it",
    ),
}  # fmt: skip

CONFIRM = Step("confirm", "确认", "first", STAYS, REVIEWER, confirms=True)
CLOSE = Step("close", "办结", "first", "done", OFFICE, needs_confirmed=REVIEWER)
PAPER = Document(Category("plan", "方案", frozenset({DECLARATION_ATTACHMENT})))
OF_SECRETS = {
    **FORM,
    "sections": [{"code": "a", "title": "甲", "items": [
        {"field": "wish", "text": "申请事项", "type": "text"},
        {"field": "keeper", "text": "负责人", "type": "text", "sensitive": True},
    ]}],
}  # fmt: skip

MORE: dict[str, tuple[Callable[[], Any], str]] = {
    "a confirmation that passes the filing on besides": (
        lambda: small(NAMING, replace(CONFIRM, names=lambda _move: {REVIEWER: []}), CLOSE),
        "confirm confirms, and does something else besides",
    ),
    "confirmations that nothing waits for": (
        lambda: small(NAMING, CONFIRM),
        "reviewer confirm, and no step waits for it",
    ),
    "a clock that runs only where the filing has ended": (
        lambda: small(clocks=[replace(TERM, runs_in=["done"])]),
        "the clock term runs only in ends",
    ),
    "a clock that runs and pauses in one status": (
        lambda: small(clocks=[replace(TERM, pauses_in=["first"])]),
        "the clock term runs and pauses in first",
    ),
    "a clock that starts from what is no day": (
        lambda: fitted(clocks=[replace(TERM, starts_from="wish")]),
        "the clock term starts from wish, which is no day",
    ),
    "a post as a text": (
        lambda: small(Step("deny", "驳回", "first", "done", "examiner")),  # type: ignore[arg-type]
        "deny falls to 'examiner', which is no post, party or system",
    ),
    "papers that are owed for ever": (
        lambda: small(documents=[replace(PAPER, owed_when={"item": "wish", "in": ["a"]})]),
        "may be owed, and no status demands what is owed",
    ),
    "a key that is held before anything was sent": (
        lambda: small(claims=[Claim("one", lambda _filing, _data: ["x"], ["draft", "first"], "已有一件")]),
        "the claim one is held in draft, where nothing was sent yet",
    ),
    "a number that says personal data": (
        lambda: FilingKinds([small(number=Number("A{keeper}{seq:04}"))], {"invented": OF_SECRETS}),
        "the number A{keeper}{seq:04} says keeper, which is sensitive",
    ),
    "a status that nothing leads to": (
        lambda: small(statuses=(DRAFT, FIRST, DONE, Status("lost", "失落", end=True))),
        "no step leads to the status lost",
    ),
    "a post that is declared twice": (
        lambda: small(Step("note", "登记", "first", STAYS, replace(OFFICE, anywhere=True))),
        f"note falls to {OFFICE.code}, a post that is declared twice and otherwise",
    ),
    "a status that stands twice": (lambda: small(statuses=(DRAFT, FIRST, DONE, DONE)), "done is declared twice"),
    "a step that stands twice": (lambda: small(SEND), "submit from draft is declared twice"),
    "a step from an unknown status": (
        lambda: small(Step("go", "走", "nowhere", "done", OFFICE)),
        "go names the unknown status nowhere",
    ),
    "a step to an unknown status": (
        lambda: small(Step("go", "走", "first", "nowhere", OFFICE)),
        "go names the unknown status nowhere",
    ),
    "words for an unknown status": (
        lambda: small(refusals={("over", "submit"): "已办结"}),
        "refusals names the unknown status over",
    ),
    "words that refuse a step that can be taken": (
        lambda: small(refusals={("draft", "submit"): "不可提交"}),
        "refusals has words for submit from draft, which can be taken",
    ),
    "a status shown as an unknown one": (
        lambda: small(statuses=(DRAFT, replace(FIRST, shown_as="over"), DONE)),
        "first is shown as the unknown status over",
    ),
    "a to-do that is nobody's": (
        lambda: small(statuses=(DRAFT, Status("first", "初审", todo="待初审"), DONE)),
        "the to-do of first is nobody's turn",
    ),
    "a turn in which there is nothing to do": (
        lambda: small(statuses=(DRAFT, Status("first", "初审", APPLICANT), DONE)),
        "it is the turn of applicant in first, but no step falls to them",
    ),
    "a step back that nobody asks for": (
        lambda: small(Step("back", "返回", "first", BACK, OFFICE)),
        "back goes back, but no step asks for a correction",
    ),
    "a way back out of where it is finished, though another may stand open then": (
        lambda: small(
            Step("reopen", "重开", "done", "draft", OFFICE), one_open=True,
            statuses=(DRAFT, FIRST, Status("done", "办结", finished=True)),
        ),
        "reopen reopens what another may have taken the place of",
    ),
    "a way back out of where it is finished and rated": (
        lambda: small(
            Step("reopen", "重开", "done", "draft", OFFICE), rateable=True,
            statuses=(DRAFT, FIRST, Status("done", "办结", finished=True)),
        ),
        "or is rated",
    ),
    "a step that sends and takes back at once": (
        lambda: small(steps=(OPEN, replace(SEND, restores=True), PASS)),
        "submit sends what it takes back",
    ),
    "a party whom no step names": (
        lambda: small(Step("score", "打分", "first", "done", REVIEWER)),
        "score falls to reviewer, whom no step names",
    ),
    "confirmations by which it moves": (
        lambda: small(NAMING, Step("confirm", "确认", "first", "done", REVIEWER, confirms=True)),
        "confirm confirms, and does something else besides",
    ),
    "waiting for who cannot confirm": (
        lambda: small(NAMING, Step("end", "结束", "first", "done", OFFICE, needs_confirmed=REVIEWER)),
        "end waits for reviewer, who cannot confirm in first",
    ),
    "a form of a step that there is not": (
        lambda: fitted(more=[Step("score", "打分", "first", "done", OFFICE, form="score")]),
        "there is no form score",
    ),
    "a form of a step that sends another": (
        lambda: small(steps=(OPEN, replace(SEND, form="invented"), PASS)),
        "submit sends the filing's form and has one of its own",
    ),
    "other people than for a step that there is not": (
        lambda: small(steps=(OPEN, SEND, replace(PASS, other_than=["examine"]))),
        "pass is taken by others than examine, an action that no step declares",
    ),
    "a lock on a field that no form has": (
        lambda: fitted(statuses=(replace(DRAFT, locks=["whish"]), FIRST, DONE)),
        "draft locks or opens whish, which the form invented does not have",
    ),
    "a condition that cannot be asked": (
        lambda: fitted(statuses=(replace(DRAFT, locks=[Lock("wish", {"item": "whish", "in": ["a"]})]), FIRST, DONE)),
        "the condition of wish cannot be asked",
    ),
    "a step that is taken by the system and by people": (
        lambda: small(Step("expire", "到期", "first", "done", [SYSTEM, OFFICE])),
        "expire is taken by the system and by people",
    ),
    "a clock in an unknown status": (
        lambda: small(clocks=[Clock("term", 3, NATURAL, DEADLINE, ["nowhere"])]),
        "the clock term names the unknown status nowhere",
    ),
    "a clock that is declared twice": (lambda: small(clocks=[TERM, TERM]), "the clock term is declared twice"),
    "a clock in an unknown unit": (lambda: small(clocks=[replace(TERM, unit="week")]), "the clock term cannot run"),
    "a clock that goes on in an unknown way": (
        lambda: small(clocks=[replace(TERM, again="half")]),
        "the clock term cannot run",
    ),
    "a clock that counts in an unknown way": (
        lambda: small(clocks=[replace(TERM, counting="publicity")]),
        "the clock term cannot run",
    ),
    "days by a field that no form has": (
        lambda: fitted(clocks=[replace(TERM, days=Days(["whish"], {}, 3))]),
        "the clock term names whish, which the form invented does not have",
    ),
    "an extension of an unknown clock": (
        lambda: small(Step("extend", "延长", "first", STAYS, OFFICE, comment=True, extends=("trem", 3))),
        "extend extends the unknown clock trem",
    ),
    "an extension without a reason": (
        lambda: small(Step("extend", "延长", "first", STAYS, OFFICE, extends=("term", 3)), clocks=[TERM]),
        "extend extends a time limit without a reason",
    ),
    "no step that opens": (lambda: small(steps=(SEND, PASS)), "no step opens it"),
    "a category that stands twice": (
        lambda: small(documents=[Document(Category("plan", "方案", frozenset({DECLARATION_ATTACHMENT})))] * 2),
        "",
    ),
    "a kind that is declared twice": (lambda: FilingKinds([small(), small()]), "a kind is declared twice"),
    "a kind without a form": (lambda: FilingKinds([small()], {}), "there is no form invented"),
}  # fmt: skip


def test_the_small_kind_itself_is_sound() -> None:
    assert fitted(fixed=frozenset({"wish"}), listed=("wish",)).named("small") is not None


@pytest.mark.parametrize(("declare", "sentence"), ELEVEN.values(), ids=ELEVEN.keys())
def test_a_declaration_that_loaded_once_though_it_could_not_work_is_refused_with_its_line(
    declare: Callable[[], Any], sentence: str
) -> None:
    with pytest.raises(BrokenKind) as refused:
        declare()
    named = [line for line in str(refused.value).splitlines() if sentence in line]
    place, line_number = named[0].split(": small: ")[0].split(":")
    assert Path(place).name == "test_broken_kinds.py"
    written = Path(__file__).read_text().splitlines()[int(line_number) - 1]
    assert any(word in written for word in ("Status(", "Step(", "Clock(", "FilingKind(")), written


@pytest.mark.parametrize(("declare", "sentence"), MORE.values(), ids=MORE.keys())
def test_a_broken_declaration_fails_when_it_is_loaded(declare: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(BrokenKind) as refused:
        declare()
    assert sentence in str(refused.value)


def test_all_that_breaks_a_declaration_is_said_at_once() -> None:
    with pytest.raises(BrokenKind) as refused:
        small(Step("reopen", "重开", "done", "draft", OFFICE), replace(EXPIRE, comment=True))
    assert [line.split(": small: ")[1] for line in str(refused.value).splitlines()] == [
        "reopen leads out of done, which is an end",
        "expire demands a comment of the system",
    ]


def test_a_step_that_stays_leaves_the_status_as_it_is() -> None:
    kind = small(Step("note", "备注", ["draft", "first"], STAYS, APPLICANT))
    assert [(s.source, s.target) for s in kind.steps if s.action == "note"] == [("draft", "draft"), ("first", "first")]
