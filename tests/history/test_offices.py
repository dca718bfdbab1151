"""Offices stand under the history: nobody widens what all users of an office see by writing into its tables."""

from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from apiflask import APIFlask
from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from accounts import offices
from accounts.models import Office, OfficeRegion, Region
from accounts.offices import enterprise_office_id
from core import clock
from core.config import Settings
from core.db import Database
from core.models import HistoryEntry
from enterprise.models import Enterprise
from tests.command_line import Run, command_line
from tests.newcomers import at_once
from tests.parties import OTHER_WORKS, WORKS, prepare
from tests.people import Person
from tests.rounds import others_in_rounds
from tests.tampering import attack, delete_rows, rows_of

OFFICES = cast(Table, Office.__table__)
TIANNING, ZHONGLOU, CHANGZHOU, JIANGSU = "320402", "320404", "320400", "320000"


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


def bureau(database: Database, code: str) -> UUID:
    with database.write() as session:
        return offices.bureau_of(session, session.get_one(Region, code))


def actions_of(database: Database, office_id: UUID) -> list[str]:
    with database.read() as session:
        return [row.action for row in rows_of(session, office_id)]


def set_office(office_id: UUID, **values: Any) -> Callable[[Session], Any]:
    return lambda session: session.execute(update(OFFICES).where(OFFICES.c.id == office_id).values(**values))


WIDER = [[2, CHANGZHOU]]


IN_THE_TABLE: list[dict[str, Any]] = [
    {"areas": WIDER}, {"areas": [], "level": "national"}, {"arriving": WIDER}, {"level": "city"},
    {"kind": "station"}, {"kind": "enterprise"}, {"parent_id": None}, {"region_code": ZHONGLOU},
    {"absorbed": [str(uuid4())]}, {"hotline": "0519-86660000"}, {"name": "某局"}, {"enterprise_id": uuid4()},
]  # fmt: skip


@pytest.mark.parametrize("values", others_in_rounds(IN_THE_TABLE, {"areas": WIDER}, {"kind": "enterprise"}))
def test_an_office_changed_in_the_table(run: Run, database: Database, values: dict[str, Any]) -> None:
    office, neighbour = bureau(database, TIANNING), bureau(database, ZHONGLOU)
    run("history", "seal")
    run("history", "verify")
    attack(database, set_office(office, **values))
    told = run("history", "verify", status=1).stderr
    assert f"office {office} #" in told and str(neighbour) not in told


def test_a_region_put_under_an_office_in_the_table(run: Run, database: Database) -> None:
    """It would be in the office's areas after the next reorganisation."""
    office = bureau(database, TIANNING)
    run("history", "verify")
    more = insert(OfficeRegion).values(office_id=office, region_code=CHANGZHOU)
    attack(database, lambda session: session.execute(more))
    assert f"office {office} #" in run("history", "verify", status=1).stderr


def test_an_office_put_into_the_table(run: Run, database: Database) -> None:
    run("history", "seal")
    forged = {
        "id": uuid4(), "kind": "market_supervision_bureau", "name": "某局", "level": "province", "parent_id": None,
        "region_code": JIANGSU, "areas": [[1, JIANGSU]], "arriving": [], "absorbed": [],
    }  # fmt: skip
    attack(database, lambda session: session.execute(insert(OFFICES).values(**forged)))
    assert f"office {forged['id']} #0: has no history" in run("history", "verify", status=1).stderr


def test_an_office_whose_last_step_is_undone(run: Run, database: Database) -> None:
    office = bureau(database, TIANNING)
    run("offices", "cover", office, TIANNING, ZHONGLOU)
    run("offices", "cover", office, TIANNING)
    run("history", "seal")

    def undo(session: Session) -> None:
        session.execute(insert(OfficeRegion).values(office_id=office, region_code=ZHONGLOU))
        set_office(office, areas=[[3, TIANNING], [3, ZHONGLOU]])(session)
        delete_rows(session, [rows_of(session, office)[-1].id])

    attack(database, undo)
    assert run("history", "verify", status=1)


@pytest.mark.parametrize("step", [("hotline", "0519-86660000"), ("cover", TIANNING, ZHONGLOU)])
def test_what_was_changed_in_the_table_is_named_after_the_next_step(
    run: Run, database: Database, step: tuple[str, ...]
) -> None:
    office = bureau(database, TIANNING)
    attack(database, set_office(office, level="province"))
    run("offices", step[0], office, *step[1:])
    told = run("history", "verify", status=1).stderr
    assert f"office {office} #" in told and "had been changed in the table: office" in told


def test_the_commands_are_no_break_and_each_stands_in_the_history(run: Run, database: Database) -> None:
    run("history", "seal")
    made = run("offices", "create", "--name", "天宁区某街道市场监管所", "--region", TIANNING)
    office = UUID(made.stdout.split()[-1].removeprefix("编号："))
    run("history", "verify")
    for _ in range(2):  # done again it changes nothing
        run("offices", "cover", office, TIANNING, ZHONGLOU)
        run("offices", "hotline", office, "0519-86660000")
    run("history", "verify")
    run("offices", "hotline", office, "--none")
    run("history", "verify")
    assert actions_of(database, office) == ["create", "cover", "set_hotline", "set_hotline"]


MERGE = ("merge", TIANNING, "--into", ZHONGLOU)
REORGANISATIONS = [MERGE, ("superior", TIANNING, "--to", "320100"), ("new-code", TIANNING, "--to", "320498")]


@pytest.mark.parametrize("change", others_in_rounds(REORGANISATIONS, MERGE))
def test_a_reorganisation_is_no_break_and_passes_over_what_was_changed_before(
    run: Run, database: Database, change: tuple[str, ...]
) -> None:
    office, other = bureau(database, TIANNING), bureau(database, "320412")
    run("history", "seal")
    run("regions", "reorganise", *change, "--on", clock.today().isoformat())
    run("history", "verify")
    assert "reorganise" in actions_of(database, office)
    assert actions_of(database, other) == ["create"]


def test_a_bureau_that_is_needed_by_several_at_once_begins_once(run: Run, database: Database) -> None:
    ids = at_once(*[lambda: bureau(database, "320481")] * 4)
    assert len(set(ids)) == 1 and actions_of(database, ids[0]) == ["create"]
    run("history", "seal")
    run("history", "verify")


def test_offices_of_earlier_releases_are_accused_of_nothing_and_stand_under_it_from_the_first_seal(
    run: Run, database: Database
) -> None:
    def forget(session: Session) -> None:
        ids = session.scalars(select(HistoryEntry.id).where(HistoryEntry.subject_type == "office")).all()
        delete_rows(session, list(ids))

    attack(database, forget)
    run("history", "verify")
    office = bureau(database, "320481")  # made before the first seal
    run("history", "seal")
    run("history", "verify")
    former = bureau(database, TIANNING)
    assert (actions_of(database, former), actions_of(database, office)) == (["witness"], ["create"])
    attack(database, set_office(former, areas=WIDER))
    assert f"office {former} #1" in run("history", "verify", status=1).stderr


OF_AN_ENTERPRISE: list[dict[str, Any]] = [
    {"areas": WIDER}, {"level": "county"}, {"kind": "station"}, {"region_code": "320102"},
    {"parent_id": "bureau"}, {"enterprise_id": "other"}, {"enterprise_id": None}, {"absorbed": [str(uuid4())]},
]  # fmt: skip


@pytest.mark.parametrize(
    "values", others_in_rounds(OF_AN_ENTERPRISE, {"region_code": "320102"}, {"enterprise_id": "other"})
)
def test_an_office_of_an_enterprise_is_what_the_register_makes_it(
    run: Run, database: Database, application: APIFlask, sign_in: Callable[[str], Person], values: dict[str, Any]
) -> None:
    prepare(application, sign_in)
    run("history", "seal")
    run("history", "verify")
    with database.read() as session:
        other = session.scalars(select(Enterprise.id).where(Enterprise.uscc == OTHER_WORKS)).one()
    named = {"bureau": bureau(database, TIANNING), "other": other}
    office = enterprise_office_id(WORKS)
    meant = {name: named.get(value, value) if isinstance(value, str) else value for name, value in values.items()}
    attack(database, set_office(office, **meant))
    told = run("history", "verify", status=1).stderr
    assert f"office {office} #" in told and str(enterprise_office_id(OTHER_WORKS)) not in told


REGIONS = cast(Table, Region.__table__)


@pytest.mark.parametrize(
    "values",
    [{"parent_code": "320100"}, {"area2": "320100"}, {"level": "city"}, {"name": "某区"}, {"successor_code": ZHONGLOU}],
)
def test_a_region_changed_in_the_table_is_named(run: Run, database: Database, values: dict[str, Any]) -> None:
    run("history", "verify")
    attack(database, lambda session: session.execute(update(REGIONS).where(REGIONS.c.code == TIANNING).values(values)))
    assert "the regions were changed" in run("history", "verify", status=1).stderr


def test_a_region_put_in_is_named_also_after_the_next_load(run: Run, database: Database) -> None:
    more = {"code": "320499", "name": "某区", "level": "county", "parent_code": CHANGZHOU, "depth": 3}
    more |= {"area1": JIANGSU, "area2": CHANGZHOU, "area3": "320499"}
    attack(database, lambda session: session.execute(insert(REGIONS).values(more)))
    assert "the regions were changed" in run("history", "verify", status=1).stderr
    run("regions", "load")
    assert "had been changed in the table: regions" in run("history", "verify", status=1).stderr
