"""A declaration that cannot work fails when it is loaded."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from assets.files.purposes import Category
from core.deadlines.clocks import NATURAL
from core.workflows.workflow import BrokenWorkflow
from enterprise.filings.kinds import (
    DECLARATION_ATTACHMENT,
    ENTERPRISE,
    OFFICE,
    BrokenKind,
    ClockRule,
    Document,
    FilingKind,
    FilingKinds,
    FilingStep,
    TodoRule,
)

OPEN, SEND = (
    FilingStep("open", "发起", None, "draft", ENTERPRISE),
    FilingStep("submit", "提交", "draft", "done", ENTERPRISE),
)
TWO = {"draft": "填写中", "done": "办结"}


def small(*steps: FilingStep, **changes: Any) -> FilingKind:
    declared: dict[str, Any] = {
        "code": "small", "title": "小", "form_code": "invented", "statuses": TWO, "steps": steps or (OPEN, SEND),
        "final": frozenset({"done"}), "editable": frozenset({"draft"}), "opened_by": "enterprise",
    }  # fmt: skip
    return FilingKind(**{**declared, **changes})


def step(**changes: Any) -> FilingStep:
    return replace(SEND, **changes)


RUNNING = ClockRule("term", NATURAL, 3)

BROKEN: dict[str, Callable[[], Any]] = {
    "unreachable status": lambda: small(statuses={**TWO, "lost": "失落"}),
    "a step that stands twice": lambda: small(OPEN, SEND, step(label="再提交")),
    "a step from an unknown status": lambda: small(OPEN, SEND, step(source="nowhere")),
    "a step to an unknown status": lambda: small(OPEN, SEND, step(action="go", target="nowhere")),
    "an unknown final status": lambda: small(final=frozenset({"over"})),
    "an unknown editable status": lambda: small(editable=frozenset({"writing"})),
    "a to-do for an unknown status": lambda: small(todos={"over": TodoRule("待办", "office")}),
    "words for an unknown status": lambda: small(refusals={("over", "submit"): "已办结"}),
    "a status shown as an unknown one": lambda: small(shown_as={"draft": "over"}),
    "words that refuse a step that can be taken": lambda: small(refusals={("draft", "submit"): "不可提交"}),
    "a step back that nobody asks for": lambda: small(OPEN, SEND, FilingStep("back", "返回", "done", "«back»", OFFICE)),
    "a way back out of where it ends, though another may stand open then": lambda: small(
        OPEN, SEND, FilingStep("reopen", "重开", "done", "draft", OFFICE), one_open=True
    ),
    "a way back out of where it ends and is rated": lambda: small(
        OPEN, SEND, FilingStep("reopen", "重开", "done", "draft", OFFICE), rateable=True
    ),
    "a step that sends and takes back at once": lambda: small(OPEN, step(sends=True, restores=True)),
    "a clock that nobody starts": lambda: small(OPEN, step(needs_over="term")),
    "a pause of an unknown clock": lambda: small(OPEN, step(pauses="term")),
    "a stop of an unknown clock": lambda: small(OPEN, step(stops="term")),
    "a clock that rings for no step": lambda: small(OPEN, step(starts=replace(RUNNING, rings="expire"))),
    "a clock that is declared twice": lambda: small(
        replace(OPEN, starts=RUNNING), step(starts=replace(RUNNING, days=4))
    ),
    "a clock in an unknown unit": lambda: small(OPEN, step(starts=replace(RUNNING, unit="week"))),
    "a clock that restarts in an unknown way": lambda: small(OPEN, step(starts=replace(RUNNING, on_restart="half"))),
    "a step that waits for nobody": lambda: small(OPEN, step(confirmations=0)),
    "no step that opens": lambda: small(SEND, statuses=TWO),
    "two steps that open": lambda: small(OPEN, SEND, replace(OPEN, action="begin")),
    "a category that stands twice": lambda: small(
        documents=[Document(Category("plan", "方案", frozenset({DECLARATION_ATTACHMENT})))] * 2
    ),
    "a document without a purpose": lambda: small(documents=[Document(Category("plan", "方案", frozenset()))]),
    "a kind that is declared twice": lambda: FilingKinds([small(), small()]),
}


def test_the_small_kind_itself_is_sound() -> None:
    assert FilingKinds([small()]).get("small") is not None


@pytest.mark.parametrize("declare", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_declaration_fails_when_it_is_loaded(declare: Callable[[], Any]) -> None:
    with pytest.raises((BrokenKind, BrokenWorkflow, ValueError)):
        declare()
