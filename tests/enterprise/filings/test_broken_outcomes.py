"""Numbers, certificates and counters that cannot work refuse to load, each with the line on which it stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from enterprise.certificates.declarations import Number
from enterprise.filings.broken_kinds import BrokenKind
from tests.enterprise.filings.test_broken_kinds import fitted, small

BROKEN: dict[str, tuple[Callable[[], Any], str]] = {
    "a number without a running part": (
        lambda: small(number=Number("MB{year}")),
        "the number MB{year} has not one running part such as {seq:06}",
    ),
    "a number of a field that the form lacks": (
        lambda: fitted(number=Number("MB{yaer}{seq:06}")),
        "the number MB{yaer}{seq:06} names yaer, a field that the form invented does not have",
    ),
    "a number that an unknown step gives": (
        lambda: small(number=Number("MB{seq:06}"), numbered_by=["acept"]),
        "numbered_by names acept, an action that no step declares",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_outcome_refuses_to_load_with_its_line(name: str) -> None:
    declare, sentence = BROKEN[name]
    with pytest.raises(BrokenKind) as refused:
        declare()
    (line,) = [line for line in str(refused.value).splitlines() if sentence in line]
    assert line.startswith(f"tests/enterprise/filings/{Path(__file__).name}:") or "test_broken_kinds.py:" in line
