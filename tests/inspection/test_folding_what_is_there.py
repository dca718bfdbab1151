"""What was kept for comparing before names and numbers were compared folded is made anew by the migration."""

import importlib
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, text

from core.database import migrate
from core.db import Database
from core.text import fold
from inspection.dictionaries.models import DictionaryEntry
from inspection.models import Inspection
from inspection.statistics import tallies
from inspection.statistics.models import EnterpriseTally
from inspection.submissions import sheet_numbers
from tests.command_line import command_line
from tests.older_schemas import at_revision
from tests.people import CONDUCTOR_RESISTANCE, Person, faults, new_id, sales, spot_check
from tests.records import listed, read, submit
from tests.rounds import rounds

pytestmark = pytest.mark.usefixtures("clock")
BEFORE = "0006"


def as_before(database: Database, *changes: tuple[str, dict[str, Any]]) -> None:
    """The data as an older version would have left it, brought to today's schema."""
    with at_revision(database, BEFORE), database.write() as session:
        for statement, values in changes:
            session.execute(text(statement), values)


def numbered(person: Person, database: Database, *numbers: str) -> list[str]:
    """Spot checks of before, each with its number as typed."""
    ids = [submit(person, spot_check(sheet_no=f"alt-{n}"), noun="spot-checks")["id"] for n in range(len(numbers))]
    changes = []
    for n, number in enumerate(numbers):
        old = f"320000:county:2026:alt-{n}"
        renamed = "UPDATE inspections SET sheet_key = :key WHERE sheet_key = :old"
        changes.append((renamed, {"old": old, "key": f"320000:county:2026:{number}"}))
    as_before(database, *changes)
    return ids


def test_records_of_one_number_are_kept_and_listed_and_no_further_one_comes(
    county_inspector: Person, database: Database
) -> None:
    ids = numbered(county_inspector, database, "CQ-2026-001", "cq-2026-001", "ＣＱ—2026— 001", "CQ-2026-002")
    with database.read() as session:
        found = [(str(one.id), one.sheet_twin) for one in sheet_numbers.shared(session)]
    assert sorted(id_ for id_, _ in found) == sorted(ids[:3]) and sorted(twin for _, twin in found) == [0, 1, 2]
    assert set(listed(county_inspector, noun="spot-checks")) == set(ids)

    def taken() -> bool:
        answer = county_inspector.put(f"/spot-checks/{new_id()}/submission", spot_check(sheet_no="cq－2026－001"))
        return answer.status_code == 422 and faults(answer) == {"/sheet_no": "sheet_taken"}

    assert taken()
    for place, (record, _) in enumerate(found):  # given up one by one: the number is free when nobody has it
        correction = {**spot_check(sheet_no=f"CQ-2026-1{place}"), "version": 1, "reason": "抽样单编号填错"}
        answer = county_inspector.put(f"/spot-checks/{record}/correction", correction)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert taken() is (place < 2)
    with database.read() as session:
        assert sheet_numbers.shared(session) == []


def test_two_bureaus_of_one_number_no_longer_share_it(
    county_inspector: Person, neighbour_inspector: Person, database: Database
) -> None:
    ids = [submit(one, spot_check(), noun="spot-checks")["id"] for one in (county_inspector, neighbour_inspector)]
    with at_revision(database, "0017"):
        pass
    with database.read() as session:
        found = {str(one.id): one for one in session.scalars(select(Inspection))}
        assert sheet_numbers.shared(session) == []
    assert [found[one].sheet_twin for one in ids] == [0, 0]
    assert [found[one].sheet_bureau for one in ids] == [found[one].office_id for one in ids]
    for person in (county_inspector, neighbour_inspector):
        answer = person.put(f"/spot-checks/{new_id()}/submission", spot_check(sample_name="另一批"))
        assert faults(answer) == {"/sheet_no": "sheet_taken"}


def test_the_command_lists_them(county_inspector: Person, database: Database, settings: Any) -> None:
    ids = numbered(county_inspector, database, "CQ-2026-001", "CQ—2026—001", "CQ-2026-002")
    with command_line(settings) as run:
        done = run("spot-checks", "shared-sheets")
    assert "共 2 条记录" in done.stdout
    assert [record in done.stdout for record in ids] == [True, True, False]


def test_going_down_again_fails_on_nothing(county_inspector: Person, database: Database) -> None:
    ids = numbered(county_inspector, database, "CQ-2026-001", "cq-2026-001")
    with database.write() as session:
        for record in session.scalars(select(Inspection)):
            record.data = {**record.data, "sheet_no": "CQ-2026-001"}
    as_before(database)
    assert migrate.differences(database.engine) == []
    assert set(listed(county_inspector, noun="spot-checks")) == set(ids)


def test_shops_in_several_spellings_are_counted_once_and_found(county_inspector: Person, database: Database) -> None:
    spellings = ["红星五金店", "红星\u200b五金店", "\u200e红星五金店", "红星五\u00ad金店", "红星—五金店"]
    changes, kept = [], "folded_name = :folded, org_key = :key"
    for n, spelling in enumerate(spellings):
        body = sales(org_name=f"第{n}店")
        body.pop("uscc", None)
        record = submit(county_inspector, body)
        new = {"name": spelling, "old": f"第{n}店", "key": f"n:{n}", "folded": "anders"}
        changes += [
            (f"UPDATE enterprise_tallies SET org_name = :name, {kept} WHERE org_name = :old", new),
            ("UPDATE inspections SET org_name = :name WHERE org_name = :old", new),
        ]
        assert record["org_name"] == f"第{n}店"
    as_before(database, *changes)
    assert read(county_inspector, "/statistics/progress")["total"]["sales_checked"] == 2
    for query, found in (("q=红星五金店", 4), ("q=星五", 4), ("q=红星-五", 1), ("q=星—五", 1), ("q=第", 0)):
        assert len(listed(county_inspector, query)) == found, query
    with database.write() as session:
        assert tallies.reconcile(session) == tallies.Reconciled(5, 0, 0, 0)


def test_figures_of_one_shop_at_two_spellings_of_an_address_become_one(
    county_inspector: Person, database: Database
) -> None:
    for address in ("某街2号", "某街3号"):
        body = sales(org_name="红星五金店", org_address=address, confirm_duplicate=True)
        body.pop("uscc", None)
        submit(county_inspector, body)
    with database.write() as session:
        for record in session.scalars(select(Inspection)):
            record.data = {**record.data, "org_address": "某街\u200b2号"}
    as_before(database)
    with database.write() as session:
        assert [tally.records for tally in session.scalars(select(EnterpriseTally))] == [2]
        assert tallies.reconcile(session) == tallies.Reconciled(1, 0, 0, 0)
    assert len(listed(county_inspector, "q=红星")) == 2


def test_entries_of_one_name_become_other_names_of_the_oldest(
    county_inspector: Person, database: Database, clock: time_machine.Traveller
) -> None:
    ids = [new_id() for _ in range(4)]
    names = ["局部放电甲", "局部放电乙", "局部放电丙", "导体电阻丁"]
    for entry, name in zip(ids, names, strict=True):
        assert county_inspector.put(f"/products/06/test-items/{entry}", {"name": name}).status_code == 201
        clock.shift(60)
    renamed = "UPDATE dictionary_entries SET name = :name, folded_name = :folded WHERE name = :old"
    spellings = ["局部放电－试验", "局部放电—试验", "局部放电\u200b-试验", "导体\u00ad电阻"]
    as_before(
        database,
        *(
            (renamed, {"old": old, "name": new, "folded": f"old {new}"})
            for old, new in zip(names, spellings, strict=True)
        ),
    )
    with database.read() as session:
        entries = {str(one.id): one for one in session.scalars(select(DictionaryEntry))}
    first, *others = (entries[entry] for entry in ids)
    assert first.alias_of is None and [other.alias_of for other in others[:2]] == [first.id, first.id]
    assert str(others[2].alias_of) == CONDUCTOR_RESISTANCE  # of the whole country
    assert {entry.folded_name for entry in (first, *others[:2])} == {"局部放电-试验"}
    rows = [{"item_id": entry, "verdict": "pass"} for entry in (ids[1], ids[3])]
    record = submit(county_inspector, spot_check(items=rows), noun="spot-checks")
    assert [row["item_id"] for row in record["items"]] == [ids[0], CONDUCTOR_RESISTANCE]


@pytest.mark.rounds
def test_the_migration_folds_as_the_program_does() -> None:
    """Every character; in `make test` the first 12 000, among which stand all widths, and of the others each 97th."""
    migration = importlib.import_module("migrations.versions.0007_folded")
    for code in (*range(12_000), *range(12_000, 0x110000, rounds(1, few=97)), *range(0xF900, 0x10000)):
        assert migration.fold(f"A{chr(code)}甲") == fold(f"A{chr(code)}甲"), hex(code)
