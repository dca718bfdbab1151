"""What records said before a correction, and what applications for one ask, stand under the history too."""

from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import Table, delete, insert, select, text, update
from sqlalchemy.orm import Session

from core.config import Settings
from core.db import Database
from inspection.models import CorrectionRequest, InspectionVersion
from tests.command_line import Run, command_line
from tests.people import Person, production, uscc
from tests.records import read, submit
from tests.tampering import attack

VERSIONS = cast(Table, InspectionVersion.__table__)
REQUESTS = cast(Table, CorrectionRequest.__table__)
HAD_BEEN = "before this step it had been changed in the table"


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    with command_line(settings) as runs:
        yield runs


def shown(run: Run) -> str:
    return run("history", "verify", status=1).stderr


def correct(person: Person, record: dict[str, Any], name: str) -> None:
    version = read(person, f"/inspections/{record['id']}")["version"]
    body = production(org_name=name, version=version, reason="名称有误", confirm_duplicate=True)
    answer = person.put(f"/inspections/{record['id']}/correction", body)
    assert answer.status_code == 200, answer.get_data(as_text=True)


@pytest.fixture
def corrected(run: Run, county_inspector: Person) -> dict[str, Any]:
    """A record that was corrected twice, beside one that was once."""
    record = submit(county_inspector, production())
    correct(county_inspector, record, "改正一次有限公司")
    correct(county_inspector, record, "改正两次有限公司")
    other = submit(county_inspector, production(org_name="另一家有限公司", uscc=uscc(2)))
    correct(county_inspector, other, "另一家改正有限公司")
    run("history", "verify")
    return record


CHANGES: dict[str, Callable[[UUID], Any]] = {
    "answers emptied": lambda record: _version(record).values(data={}),
    "the reason": lambda record: _version(record).values(reason="企业要求"),
    "another form": lambda record: _version(record).values(form_version=9),
    "deleted": lambda record: delete(VERSIONS).where(VERSIONS.c.inspection_id == record, VERSIONS.c.version == 1),
    "put in": lambda record: insert(VERSIONS).from_select(
        [column.name for column in VERSIONS.c],
        select(*(column if column.name != "version" else text("9") for column in VERSIONS.c)).where(
            VERSIONS.c.inspection_id == record, VERSIONS.c.version == 1
        ),
    ),
}


def _version(record: UUID) -> Any:
    return update(VERSIONS).where(VERSIONS.c.inspection_id == record, VERSIONS.c.version == 1)


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_record_said_before_a_correction_is_not_changed_unnoticed(
    run: Run, database: Database, corrected: dict[str, Any], change: str
) -> None:
    attack(database, lambda session: session.execute(CHANGES[change](UUID(corrected["id"]))))
    told = [line for line in shown(run).splitlines() if "inspection" in line]
    assert len(told) == 1 and corrected["id"] in told[0], told


def test_a_former_version_changed_in_the_table_is_named_after_the_next_correction(
    run: Run, database: Database, corrected: dict[str, Any], county_inspector: Person
) -> None:
    attack(database, lambda session: session.execute(_version(UUID(corrected["id"])).values(reason="企业要求")))
    correct(county_inspector, corrected, "改正三次有限公司")
    assert corrected["id"] in shown(run)


@pytest.fixture
def asked(run: Run, sign_in: Callable[[str], Person]) -> dict[str, Any]:
    """An application that waits, beside one that was refused."""
    with time_machine.travel("2026-11-18T10:00:00+08:00", tick=True):
        owner = sign_in("county_inspector")
        records = [
            submit(owner, production(check_date="2026-11-17", uscc=uscc(n), org_name=f"第{n}家")) for n in range(2)
        ]
    with time_machine.travel("2026-11-21T10:00:00+08:00", tick=True):
        owner, city = sign_in("county_inspector"), sign_in("city_reviewer")
        sent = [
            owner.post(
                f"/inspections/{record['id']}/correction-requests",
                production(check_date="2026-11-17", uscc=uscc(n), org_name=f"改{n}家", version=1, reason="填错"),
            ).json
            for n, record in enumerate(records)
        ]
        refused = city.post(f"/correction-requests/{sent[1]['id']}/reject", {"opinion": "理由不足"})
        assert refused.status_code == 200, refused.get_data(as_text=True)
    run("history", "verify")
    return {"waiting": sent[0]["id"], "refused": sent[1]["id"], "record": records[0]["id"]}


def _set(**values: Any) -> Callable[[Session, UUID], Any]:
    return lambda session, request: session.execute(update(REQUESTS).where(REQUESTS.c.id == request).values(**values))


def _exchange(session: Session, request: UUID) -> Any:
    """What is asked gives way to what the record says already: an approval would change nothing."""
    before = session.scalar(select(REQUESTS.c.before).where(REQUESTS.c.id == request))
    return _set(asked=before)(session, request)


IN_THE_TABLE: dict[str, Callable[[Session, UUID], Any]] = {
    "asked": _exchange,
    "reason": _set(reason="企业要求"),
    "confirmed": _set(confirmed=["confirm_duplicate"]),
    "base_version": _set(base_version=2),
    "requested": _set(requested={"by": "某人", "office": "某局", "at": "2026-11-18T02:00:00Z"}),
}


@pytest.mark.parametrize("change", IN_THE_TABLE)
def test_an_application_that_waits_is_not_changed_unnoticed(
    run: Run, database: Database, asked: dict[str, Any], change: str
) -> None:
    attack(database, lambda session: IN_THE_TABLE[change](session, UUID(asked["waiting"])))
    told = shown(run)
    assert f"correction_request {asked['waiting']} #1" in told and asked["refused"] not in told


def test_nor_is_how_it_was_decided(run: Run, database: Database, asked: dict[str, Any]) -> None:
    attack(database, lambda session: _set(decided={"by": "某人", "opinion": "同意"})(session, UUID(asked["refused"])))
    told = shown(run)
    assert f"correction_request {asked['refused']} #2" in told and asked["waiting"] not in told


def test_an_application_changed_in_the_table_is_named_after_it_was_withdrawn(
    run: Run, database: Database, asked: dict[str, Any], sign_in: Callable[[str], Person]
) -> None:
    attack(database, lambda session: _set(reason="企业要求")(session, UUID(asked["waiting"])))
    with time_machine.travel("2026-11-21T11:00:00+08:00", tick=True):
        taken_back = sign_in("county_inspector").post(f"/correction-requests/{asked['waiting']}/withdraw", {})
    assert taken_back.status_code == 200, taken_back.get_data(as_text=True)
    assert f"correction_request {asked['waiting']} #2: {HAD_BEEN}: asked" in shown(run)
