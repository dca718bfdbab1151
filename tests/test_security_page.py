"""docs/security.md names every requirement of OWASP ASVS 5.0 at level 1 and 2 once, and nothing that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

LEVELS = {
    "1.1": "22", "1.2": "1111122223", "1.3": "112222222223", "1.4": "222", "1.5": "123",
    "2.1": "122", "2.2": "112", "2.3": "12223", "2.4": "23",
    "3.1": "3", "3.2": "113", "3.3": "12223", "3.4": "11222233", "3.5": "11122333", "3.6": "3", "3.7": "22333",
    "4.1": "12233", "4.2": "23333", "4.3": "22", "4.4": "1222",
    "5.1": "2", "5.2": "112333", "5.3": "113", "5.4": "222",
    "6.1": "122", "6.2": "111111112222", "6.3": "11223333", "6.4": "112233", "6.5": "22222333", "6.6": "2223",
    "6.7": "33", "6.8": "2222",
    "7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "223", "7.6": "22",
    "8.1": "1233", "8.2": "1123", "8.3": "133", "8.4": "23",
    "9.1": "111", "9.2": "1222",
    "10.1": "22", "10.2": "223", "10.3": "22223", "10.4": "1111122222233333", "10.5": "22222", "10.6": "22",
    "10.7": "222",
    "11.1": "2233", "11.2": "22233", "11.3": "11233", "11.4": "1222", "11.5": "23", "11.6": "23", "11.7": "33",
    "12.1": "12233", "12.2": "11", "12.3": "22223",
    "13.1": "2333", "13.2": "222223", "13.3": "2233", "13.4": "1222233",
    "14.1": "22", "14.2": "12223333", "14.3": "122",
    "15.1": "12233", "15.2": "12233", "15.3": "1222222", "15.4": "3333",
    "16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "2223",
    "17.1": "23", "17.2": "22223333", "17.3": "22",
}  # fmt: skip
"""By section of ASVS 5.0.0: the level of each of its requirements in their order."""

WANTED = [
    f"{section}.{number}"
    for section, levels in LEVELS.items()
    for number, level in enumerate(levels, 1)
    if level in "12"
]
STATES = {"yes", "gap", "no case", "operator"}
ROW = re.compile(r"^\| ([\d.,–\- ]+) \| ([a-z ]*) \| (.+) \|$", re.MULTILINE)


def numbers(cell: str) -> list[str]:
    """`1.2.6–1.2.8` and `1.3.8, 1.3.9` as the requirements of level 1 and 2 that they name."""
    found: list[str] = []
    for part in cell.split(","):
        first, _, last = part.strip().partition("–")
        found += WANTED[WANTED.index(first) : WANTED.index(last or first) + 1]
    return found


def test_every_requirement_of_level_one_and_two_stands_there_once() -> None:
    assert sum(map(len, LEVELS.values())) == 345 and len(WANTED) == 253  # as the standard counts them
    named = [number for cell, _, _ in ROW.findall(PAGE) for number in numbers(cell)]
    assert sorted(named, key=WANTED.index) == WANTED


def test_each_says_whether_it_is_held_and_what_a_gap_lacks() -> None:
    rows = ROW.findall(PAGE)
    assert {state for _, state, _ in rows} <= STATES
    assert [cell for cell, state, shown in rows if state == "gap" and len(shown) < 40] == []


def test_every_test_and_file_that_is_named_exists() -> None:
    missing = []
    for name in re.findall(r"`([\w./\-]+(?:::\w+)?)`", PAGE):
        path, _, test = name.partition("::")
        if not test and ("/" not in path or path.startswith("/")):
            continue
        there = ROOT / path
        if not there.exists() or (test and f"def {test}(" not in there.read_text(encoding="utf-8")):
            missing.append(name)
    assert missing == []
