"""Calls to the outside world are limited in time and in number; a service that fails is left alone for a while."""

import threading
from types import SimpleNamespace

import pytest

from core.gateways import outside
from core.gateways.outside import MOST_IN_A_ROW, REST, Busy, Outside, TooSlow


class Held:
    """Work that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.free = threading.Event()

    def __call__(self) -> str:
        self.begun.release()
        self.free.wait(60)
        return "done"


def test_what_the_work_returns_or_raises_is_returned_or_raised() -> None:
    service = Outside("test", seconds=60, places=1)
    assert service.call(lambda: 7) == 7
    with pytest.raises(KeyError):
        service.call(lambda: {}["x"])


def test_a_call_that_takes_too_long_is_given_up_and_keeps_its_place_until_it_ends() -> None:
    service, work = Outside("test", seconds=0.1, places=1, patience=0), Held()
    with pytest.raises(TooSlow):
        service.call(work)
    with pytest.raises(Busy):
        service.call(lambda: 7)
    work.free.set()
    patient = Outside("test", seconds=60, places=1, patience=60)
    patient._places = service._places
    assert patient.call(lambda: 7) == 7


def test_only_so_many_calls_are_under_way_at_once() -> None:
    service, work = Outside("test", seconds=60, places=2, patience=0), Held()
    threads = [threading.Thread(target=service.call, args=(work,)) for _ in range(2)]
    for thread in threads:
        thread.start()
        work.begun.acquire()
    with pytest.raises(Busy):
        service.call(lambda: 7)
    work.free.set()
    for thread in threads:
        thread.join()
    assert service.call(lambda: 7) == 7


def fails() -> None:
    raise ConnectionError("refused")


def answers() -> None:
    raise FileNotFoundError("no such thing")


def test_a_service_that_failed_several_times_running_is_left_alone_and_tried_by_one_call_after_a_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(outside, "time", SimpleNamespace(monotonic=lambda: now[0]))
    asked: list[str] = []
    service = Outside("test", seconds=60, places=8)
    for _ in range(MOST_IN_A_ROW):
        with pytest.raises(ConnectionError):
            service.call(fails)
    with pytest.raises(Busy):
        service.call(lambda: asked.append("too early"))
    now[0] += REST
    with pytest.raises(ConnectionError):
        service.call(fails)  # the one that tries
    with pytest.raises(Busy):
        service.call(lambda: asked.append("too early"))
    now[0] += REST
    service.call(lambda: asked.append("tried"))
    service.call(lambda: asked.append("well again"))
    assert asked == ["tried", "well again"]


def test_failures_that_are_answers_or_not_in_a_row_leave_it_in_use() -> None:
    service = Outside("test", seconds=60, places=8, answers=(FileNotFoundError,))
    for _ in range(2 * MOST_IN_A_ROW):
        with pytest.raises(FileNotFoundError):
            service.call(answers)
    for _ in range(MOST_IN_A_ROW - 1):
        with pytest.raises(ConnectionError):
            service.call(fails)
    with pytest.raises(FileNotFoundError):
        service.call(answers)
    with pytest.raises(ConnectionError):
        service.call(fails)
    assert service.call(lambda: 7) == 7


def test_who_has_less_time_than_the_service_may_take_gives_up_earlier_and_does_not_blame_it() -> None:
    service, work = Outside("test", seconds=60, places=MOST_IN_A_ROW + 1, patience=0), Held()
    for _ in range(MOST_IN_A_ROW):
        with pytest.raises(TooSlow):
            service.call(work, 0.05)
    assert service.call(lambda: 7) == 7  # it is not left alone
    work.free.set()
