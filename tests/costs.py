"""What a run of the tests costs, in seconds of CPU with those of the processes that tests start.

    COSTS=/tmp/costs .venv/bin/python -m pytest -n 3 -p tests.costs
    .venv/bin/python -m tests.costs /tmp/costs

Only what a process has waited for counts as its child's: what a server or a browser of a whole session used stands at
the last test of a worker. The databases' own servers are not counted.
"""

import json
import os
import resource
import sys
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

LONGEST = 40
"""Lines of each table."""

Hook = Generator[None, Any, Any]


def _used() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


class Costs:
    """The notes of one process; a line for each phase of a test and each fixture."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{os.getpid()}.jsonl").open("a")

    def _note(self, phase: str, name: str) -> Hook:
        before = _used()
        try:
            return (yield)
        finally:
            self._file.write(json.dumps([phase, name, round(_used() - before, 5)]) + "\n")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Hook:
        return (yield from self._note("collection", ""))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Hook:
        return (yield from self._note("setup", item.nodeid))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Hook:
        return (yield from self._note("call", item.nodeid))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Hook:
        return (yield from self._note("teardown", item.nodeid))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Hook:
        return (yield from self._note("fixture", fixturedef.argname))

    def pytest_sessionfinish(self) -> None:
        self._file.close()


def pytest_configure(config: pytest.Config) -> None:
    if folder := os.environ.get("COSTS"):
        config.pluginmanager.register(Costs(Path(folder)), "costs")


def tables(folder: Path) -> dict[str, dict[str, float]]:
    """Seconds by phase, file, test and fixture; a fixture's are those of what it asks for too."""
    found: dict[str, dict[str, float]] = {name: defaultdict(float) for name in ("phase", "file", "test", "fixture")}
    for path in folder.glob("*.jsonl"):
        for phase, name, seconds in map(json.loads, path.read_text().splitlines()):
            if phase == "fixture":
                found["fixture"][name] += seconds
                continue
            found["phase"][phase] += seconds
            if name:
                found["file"][name.partition("::")[0]] += seconds
                found["test"][name] += seconds
    return found


if __name__ == "__main__":
    for title, sums in tables(Path(sys.argv[1])).items():
        print(f"\n{title}: {len(sums)}, {sum(sums.values()):.1f} s")
        for name, seconds in sorted(sums.items(), key=lambda one: -one[1])[:LONGEST]:
            print(f"{seconds:9.2f}  {name}")
