"""`./manage ratings`: folding, recomputing, expiring."""

from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import text

from core.config import Settings
from tests.command_line import Run, command_line
from tests.feedback.room import Room


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


def test_figures_are_folded_and_recomputed(room: Room, run: Run) -> None:
    code = room.code()
    room.send(code)
    room.bad(code)
    assert "已汇总 2 条" in run("ratings", "fold").stdout
    assert "已汇总 0 条" in run("ratings", "fold").stdout
    assert "已更正 0" in run("ratings", "reconcile").stdout
    with room.database.write() as session:
        session.execute(text("UPDATE rating_tallies SET n5 = 3 WHERE grain = 'all' AND matter = ''"))
    assert "已更正 1" in run("ratings", "reconcile").stdout
    assert room.figures()["total"]["level_5"] == 1


def test_codes_whose_last_day_is_over_expire(room: Room, run: Run, at_ten: time_machine.Traveller) -> None:
    code = room.code(kind="per_matter")
    assert "已过期 0 个" in run("ratings", "expire").stdout
    at_ten.move_to("2026-12-22T00:00:01+08:00")
    assert "已过期 1 个" in run("ratings", "expire").stdout
    assert room.code_now(code).status == "expired"
