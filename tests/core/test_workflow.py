"""Workflows are tables: broken ones fail when they are declared, and one move of two wins."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from accounts import offices
from accounts.models import Region, User
from accounts.workflows import APPLICATION, USER
from core import clock
from core.actor import Actor, Scope
from core.db import Database
from core.errors import Problem
from core.models import HistoryEntry
from core.workflows.workflow import SYSTEM, BrokenWorkflow, Step, Workflow
from inspection.workflows import WORKFLOWS
from tests.newcomers import at_once

STATUSES = {"open": "待办", "done": "完成"}
STEPS = [Step("begin", None, "open", SYSTEM), Step("finish", "open", "done", "inspection.write")]

NOBODY = Actor(
    uuid4(), "nobody", None, uuid4(), uuid4(), "机关", "bureau", "county", "320402", "天宁区",
    ("320000", "320400", "320402"), Scope(False, ()), (), frozenset(), False,
)  # fmt: skip
INSPECTOR = replace(NOBODY, verbs=frozenset({"inspection.write"}))


def workflow(statuses: dict[str, str] | None = None, steps: Sequence[Step] = STEPS) -> Workflow:
    return Workflow("thing", User, statuses or STATUSES, steps)


@pytest.mark.parametrize(
    ("statuses", "steps", "reason"),
    [
        (STATUSES, [*STEPS, Step("finish", "open", "open", SYSTEM)], "finish from open stands twice"),
        (STATUSES, [*STEPS, Step("lose", "open", "lost", SYSTEM)], "unknown status lost"),
        (STATUSES, [*STEPS, Step("find", "lost", "open", SYSTEM)], "unknown status lost"),
        ({**STATUSES, "lost": "丢失"}, STEPS, "unreachable status .*lost"),
        ({**STATUSES, "a": "甲", "b": "乙"}, [*STEPS, Step("x", "a", "b", SYSTEM), Step("y", "b", "a", SYSTEM)],
         "unreachable status .*a.*b"),
        (STATUSES, [Step("finish", "open", "done", SYSTEM)], "unreachable status"),
        (STATUSES, [], "unreachable status"),
    ],
)  # fmt: skip
def test_a_broken_declaration_fails_and_says_why(statuses: dict[str, str], steps: list[Step], reason: str) -> None:
    with pytest.raises(BrokenWorkflow, match=reason):
        workflow(statuses, steps)


def test_one_action_may_leave_from_several_statuses() -> None:
    both = workflow(steps=[*STEPS, Step("finish", "done", "done", SYSTEM)])
    assert both.step("finish", "open", INSPECTOR).target == both.step("finish", "done", None).target == "done"


def test_every_status_of_the_real_workflows_has_a_chinese_label() -> None:
    for real in (APPLICATION, USER, *WORKFLOWS.values()):
        assert all(any("\u4e00" <= c <= "\u9fff" for c in label) for label in real.statuses.values())


def test_the_actions_are_those_of_the_status_that_the_verbs_allow() -> None:
    assert workflow().actions("open", INSPECTOR.verbs) == ["finish"]
    assert workflow().actions("open", frozenset()) == workflow().actions("done", INSPECTOR.verbs) == []


def refused(call: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value


def test_a_step_that_does_not_leave_from_here_is_a_wrong_status_and_says_which() -> None:
    problem = refused(lambda: workflow().step("finish", "done", INSPECTOR))
    assert (problem.code, problem.extra) == ("wrong_status", {"current_status": "done"})
    assert "完成" in (problem.detail or "")
    assert refused(lambda: workflow().step("no_such_action", "open", INSPECTOR)).code == "wrong_status"


@pytest.mark.parametrize("actor", [None, NOBODY])
def test_a_step_is_forbidden_to_whoever_lacks_its_verb(actor: Actor | None) -> None:
    assert refused(lambda: workflow().step("finish", "open", actor)).code == "forbidden"


@pytest.fixture
def user(database: Database) -> User:
    with database.read() as session:
        return session.scalars(select(User).where(User.username == "county_inspector")).one()


def history_of(database: Database, user: User) -> list[tuple[str, int]]:
    with database.read() as session:
        rows = session.execute(
            select(HistoryEntry.action, HistoryEntry.version)
            .where(HistoryEntry.subject_id == user.id)
            .order_by(HistoryEntry.seq)
        )
        return [(row.action, row.version) for row in rows]


def test_a_move_sets_status_version_values_and_history_together(database: Database, user: User) -> None:
    with database.write() as session:
        assert USER.move(session, None, user, "administrator_disable", {"status_reason": "离职"}, {"by": "甲"}) == 2
    with database.read() as session:
        now = session.get_one(User, user.id)
        assert (now.status, now.version, now.status_reason) == ("disabled", 2, "离职")
    assert history_of(database, user) == [("create", 1), ("administrator_disable", 2)]


def test_a_record_moved_meanwhile_is_told_by_its_status_and_one_changed_meanwhile_by_its_version(
    database: Database, user: User
) -> None:
    before = SimpleNamespace(id=user.id, status=user.status, version=user.version)
    with database.write() as session:
        USER.move(session, None, before, "change_password")
    with database.write() as session:
        problem = refused(lambda: USER.move(session, None, before, "change_password"))
    assert (problem.code, problem.extra) == ("stale_version", {"current_version": 2})
    with database.write() as session:
        current = SimpleNamespace(id=user.id, status="active", version=2)
        USER.move(session, None, current, "administrator_disable")
    with database.write() as session:
        problem = refused(lambda: USER.move(session, None, current, "administrator_disable"))
    assert (problem.code, problem.extra) == ("wrong_status", {"current_status": "disabled"})
    with database.write() as session:
        gone = SimpleNamespace(id=uuid4(), status="active", version=1)
        assert refused(lambda: USER.move(session, None, gone, "change_password")).code == "not_found"
    assert [version for _, version in history_of(database, user)] == [1, 2, 3]


def test_a_status_set_past_the_workflow_is_not_overwritten(database: Database, user: User) -> None:
    before = SimpleNamespace(id=user.id, status="active", version=1)
    with database.write() as session:
        session.execute(update(User).where(User.id == user.id).values(status="rejected"))
    with database.write() as session:
        problem = refused(lambda: USER.move(session, None, before, "administrator_disable"))
    assert (problem.code, problem.extra) == ("wrong_status", {"current_status": "rejected"})


def test_a_guard_refuses_before_anything_is_written(database: Database, user: User) -> None:
    def never(record: Any, actor: Actor | None) -> None:
        raise Problem("forbidden", "不行")

    guarded = Workflow(
        "user", User, {"active": "正常"},
        [Step("create", None, "active", SYSTEM), Step("touch", "active", "active", SYSTEM, never)],
    )  # fmt: skip
    with database.write() as session:
        assert refused(lambda: guarded.move(session, None, user, "touch")).code == "forbidden"
    assert history_of(database, user) == [("create", 1)]


def test_of_many_who_move_one_record_at_the_same_moment_one_wins(database: Database, user: User) -> None:
    def attempt() -> str:
        try:
            with database.write() as session:
                USER.move(session, None, user, "administrator_disable")
        except Problem as problem:
            return problem.code
        return "moved"

    assert sorted(at_once(*[attempt] * 6)) == ["moved"] + ["wrong_status"] * 5
    assert history_of(database, user) == [("create", 1), ("administrator_disable", 2)]


def test_a_record_is_entered_once_whoever_tries_again(database: Database, user: User) -> None:
    with database.write() as session:
        office_id = offices.bureau_of(session, session.get_one(Region, "320402"))
        values = {
            "id": uuid4(), "username": "entered", "password_hash": "-", "must_change_password": False,
            "office_id": office_id, "full_name": None, "mobile": None, "roles": [], "status_reason": None,
            "created_at": clock.now(),
        }  # fmt: skip
        assert USER.enter(session, None, "create", values) is True
    with database.write() as session:
        assert USER.enter(session, None, "create", {**values, "username": "other"}) is False
        assert session.scalar(select(func.count()).select_from(User).where(User.username == "other")) == 0
    with database.read() as session:
        rows = select(func.count()).select_from(HistoryEntry).where(HistoryEntry.subject_id == values["id"])
        assert session.scalar(rows) == 1
