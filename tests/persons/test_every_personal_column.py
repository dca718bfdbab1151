"""No personal column stands in a table without a declaration of what becomes of it."""

import re
from pathlib import Path

import pytest
from sqlalchemy import JSON, Column, String, Table, Text
from sqlalchemy.types import TypeDecorator

import app  # noqa: F401 - every room declares its tables
import composition.jobs  # noqa: F401 - and so do the jobs
from composition.persons import HOLDINGS, NOT_PERSONAL
from core.db import Base
from core.persons import declared
from core.persons.holdings import Fate, Holdings, Holds
from core.privacy import EncryptedText, SealedJSON

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "privacy.md"

SPEAKS_OF_PERSONS = re.compile(
    r"name|mobile|phone|(^|_)tel($|_)|tail|contact|operator|openid|(^|_)ip($|_)|resident|e?mail|address|user_agent|"
    r"representative|inspector|sampler|escort|person|rater|applicant|latitude|longitude|_hash$|_key$|"
    r"(^|_)as$|(^|_)by$|title|note|reason|opinion|comment|measures|explanation|reply|text|problems|payload|secret|identity"
)
WIDE = 160
"""So long a text is typed by somebody."""


def _looks_personal(column: "Column[object]") -> bool:
    kind = column.type
    if isinstance(kind, (EncryptedText, SealedJSON)) or column.info.get("sealed"):
        return True
    if isinstance(kind, TypeDecorator):
        return False
    if isinstance(kind, (JSON, Text)) or (isinstance(kind, String) and (kind.length or WIDE) >= WIDE):
        return True
    return isinstance(kind, String) and SPEAKS_OF_PERSONS.search(column.name) is not None


def _looking_personal() -> dict[str, "Column[object]"]:
    return {f"{table.name}.{column.name}": column for table in Base.metadata.sorted_tables for column in table.c
            if _looks_personal(column)}  # fmt: skip


def test_every_column_that_looks_personal_is_declared_or_is_said_not_to_be() -> None:
    left = [name for name in _looking_personal() if name not in DECLARED and name not in NOT_PERSONAL]
    assert left == [], "declare these in the room's persons.py, or say in NOT_PERSONAL why they are not personal"


DECLARED = {f"{holding.table.name}.{column.name}" for holding in HOLDINGS.all for column in holding.columns}


def test_a_new_personal_column_is_noticed() -> None:
    for name, kind in (("witness_mobile", String(20)), ("remarks", Text()), ("witness", EncryptedText("t", "witness"))):
        assert _looks_personal(Column(name, kind)), name
    assert not _looks_personal(Column("area1", String(6)))


def test_what_is_sealed_is_never_said_not_to_be_personal_but_for_keys_of_phones() -> None:
    sealed = {name for name, column in _looking_personal().items() if isinstance(column.type, EncryptedText)}
    assert sealed & NOT_PERSONAL.keys() == {"outbox_keys.identity"}


def test_no_column_is_both_and_none_that_is_gone_is_still_named() -> None:
    there = {f"{table.name}.{column.name}" for table in Base.metadata.sorted_tables for column in table.c}
    assert DECLARED & NOT_PERSONAL.keys() == set()
    assert (DECLARED | NOT_PERSONAL.keys()) - there == set()
    assert all(NOT_PERSONAL.values())


def test_a_column_that_stays_names_the_law_or_why() -> None:
    for holding in HOLDINGS.all:
        for column in holding.columns:
            assert len(column.reason) >= 4, f"{holding.table.name}.{column.name}"
            if column.fate == Fate.KEEP:
                assert len(column.reason) >= 10, f"{holding.table.name}.{column.name}"


def test_what_is_erased_can_be_emptied() -> None:
    for holding in HOLDINGS.all:
        for column in holding.columns:
            whole = column.holds in (Holds.NUMBER, Holds.HASH, Holds.NAME, Holds.OWN) and column.fate != Fate.KEEP
            nullable = holding.table.c[column.name].nullable
            assert not whole or nullable or holding.deletes or column.empty is not None, (
                f"{holding.table.name}.{column.name} cannot be NULL: say what stands there"
            )


@pytest.mark.parametrize("fault", ["column", "reason", "parent"])
def test_a_declaration_that_cannot_work_fails_when_it_is_loaded(fault: str) -> None:
    import dataclasses

    holding = HOLDINGS.by_table["ratings"]
    broken = {
        "column": {"columns": (dataclasses.replace(holding.columns[0], name="telephone"),)},
        "reason": {"columns": (dataclasses.replace(holding.columns[0], reason=""),)},
        "parent": {"parent": "no_table", "link": "id"},
    }[fault]
    with pytest.raises(ValueError, match="ratings"):
        Holdings((dataclasses.replace(holding, **broken),))  # type: ignore[arg-type]


def test_the_page_shows_each_personal_column_and_what_becomes_of_it() -> None:
    page = PAGE.read_text()
    for part in (declared.table_of_purposes(HOLDINGS), declared.table_of_columns(HOLDINGS)):
        assert part in page, f"paste this into docs/privacy.md:\n{part}"


def test_the_page_says_of_each_column_in_the_clear_why() -> None:
    page = PAGE.read_text()
    clear = {
        f"{holding.table.name}.{column.name}" for holding in HOLDINGS.all for column in holding.columns
        if _in_the_clear(holding.table, column.name)
    }  # fmt: skip
    section = page.split("## What stands in the clear")[1].split("\n## ")[0]
    assert [name for name in sorted(clear) if f"`{name}`" not in section] == []


def _in_the_clear(table: Table, name: str) -> bool:
    column = table.c[name]
    hashed = name.endswith(("_hash", "_key")) or (table.name, name) == ("rating_windows", "key")
    return not hashed and not isinstance(column.type, (EncryptedText, SealedJSON)) and not column.info.get("sealed")
