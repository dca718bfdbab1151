"""Keys are changed while the server runs and writes; nothing is lost, and nothing that was hashed changes."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from accounts.models import AccountApplication, User
from cli import history as history_commands  # noqa: F401 - the command is tried through the command line
from composition import older_seals
from composition.sealed_contents import BEFORE
from core import privacy
from core.config import Settings
from core.db import Database
from core.keys import keyring, resealing, rotation, stored
from core.keys.keyring import UNNAMED
from core.keys.resealing import Tally
from core.models import InstallationKey, ResealedContent
from feedback.models import Rating
from inspection.models import Inspection
from tests.command_line import command_line
from tests.conftest import DATA_KEY
from tests.feedback.conftest import room  # noqa: F401 - a fixture
from tests.feedback.room import Room
from tests.newcomers import MOBILE, join
from tests.people import Person, with_problem
from tests.records import submit
from tests.servers import ROOT

CONTACT = "13911112222"


@pytest.fixture(autouse=True)
def _keys() -> Iterator[None]:
    yield
    privacy.install(DATA_KEY)


def rotate(database: Database) -> rotation.Outcome:
    return rotation.rotate(database.engine, DATA_KEY, BEFORE, lambda _table, _tally: None, grace=timedelta())


def keys_in_use(database: Database) -> set[str]:
    """The ids of the keys by which anything in the database is sealed."""
    found: set[str] = set()

    def needs(sealed: str) -> bool:
        found.add(privacy.key_of(sealed))
        return False

    for _ in resealing.walk(database.engine, needs, lambda sealed, _where: sealed):
        pass
    return found


def as_an_earlier_release(database: Database) -> None:
    """Seal everything as releases up to 0.3 did, and give the histories the digests that they made."""
    for _ in resealing.walk(
        database.engine, lambda sealed: privacy.key_of(sealed) != UNNAMED,
        lambda sealed, where: privacy.seal(privacy.unseal_for(sealed, where)),
    ):  # fmt: skip
        pass


def corrected_record(person: Person) -> UUID:
    body = with_problem({"7.1": "in_progress"}, contact_tel=CONTACT)
    record = submit(person, body)
    changed = {**body, "remark": "更正", "reason": "漏填", "version": record["version"]}
    assert person.put(f"/inspections/{record['id']}/correction", changed).status_code == 200
    return UUID(record["id"])


@pytest.mark.usefixtures("clock")
def test_after_a_rotation_everything_reads_as_before_and_nothing_is_sealed_with_the_older_key(
    settings: Settings, database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    join(city_reviewer.client, city_reviewer)
    record = corrected_record(county_inspector)
    before = county_inspector.get(f"/inspections/{record}").json
    assert keys_in_use(database) == {"1"}
    done = rotate(database)
    assert done.key == "2" and done.changed >= 4 and done.unopened == 0
    assert keys_in_use(database) == {"2"}
    assert county_inspector.get(f"/inspections/{record}").json == before
    with database.read() as session:
        assert session.scalar(select(AccountApplication.mobile)) == MOBILE
        assert session.scalar(select(User.mobile).where(User.username == "zhonglou_li")) == MOBILE
    with command_line(settings) as run:
        assert "完整" in run("history", "verify").stdout
        listed = run("keys", "list").stdout
        assert DATA_KEY not in listed and stored.secret_id(DATA_KEY) in listed


@pytest.mark.usefixtures("clock")
def test_what_an_earlier_release_sealed_is_sealed_anew_and_its_history_still_holds(
    settings: Settings, database: Database, county_inspector: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inspection.records import content

    # As releases up to 0.3 made them: of what is stored, without a key.
    monkeypatch.setattr(
        "inspection.submissions.storing.content_digest", lambda columns, _id: content.stored_digest(columns)
    )
    monkeypatch.setattr(
        "inspection.submissions.validated.sealed",
        lambda form, data, _where: {
            name: privacy.seal(value) if name in form.sensitive and value else value for name, value in data.items()
        },
    )
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}, contact_tel=CONTACT))
    monkeypatch.undo()
    assert UNNAMED in keys_in_use(database)
    with command_line(settings) as run:
        assert "完整" in run("history", "verify").stdout
        rotate(database)
        assert UNNAMED not in keys_in_use(database)
        assert "完整" in run("history", "verify").stdout
        rotate(database)  # and again, when what it says has long been attested
        assert "完整" in run("history", "verify").stdout
        with database.write() as session:
            assert session.scalar(select(func.count()).select_from(ResealedContent)) == 1
            found = session.get_one(Inspection, UUID(record["id"]))
            found.data = {**found.data, "remark": "改过"}
        assert "content of the record was changed" in run("history", "verify", status=1).stderr


@pytest.mark.usefixtures("clock")
def test_hashes_do_not_change_so_that_query_codes_and_the_five_days_survive(room: Room) -> None:  # noqa: F811
    from core.errors import Problem
    from feedback.ratings.query_codes import query_code, query_key

    code = room.code()
    rated = room.send(code, mobile="13800000001")
    said = query_code(rated.id)
    rotate(room.database)
    assert query_code(rated.id) == said
    with room.database.read() as session:
        assert session.scalar(select(Rating.id).where(Rating.query_key == query_key(said))) == rated.id
    with pytest.raises(Problem, match="5天内"):
        room.send(room.code(), mobile="13800000001")


@pytest.mark.usefixtures("clock")
def test_the_server_seals_anew_by_itself_what_an_earlier_release_sealed(
    database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    join(city_reviewer.client, city_reviewer)
    record = corrected_record(county_inspector)
    before = county_inspector.get(f"/inspections/{record}").json
    as_before = text("UPDATE users SET mobile = :sealed WHERE username = 'zhonglou_li'")
    with database.write() as session:
        session.execute(as_before, {"sealed": privacy.seal(MOBILE)})
    assert UNNAMED in keys_in_use(database)
    assert older_seals.seal_anew(database) == 1
    assert keys_in_use(database) == {"1"} and rotation.left_keys(database.engine) == []
    assert older_seals.seal_anew(database) == 0
    assert county_inspector.get(f"/inspections/{record}").json == before
    with database.read() as session:
        assert session.scalar(select(User.mobile).where(User.username == "zhonglou_li")) == MOBILE


def test_hash_keys_stay_and_older_history_keys_are_kept(database: Database) -> None:
    before = stored.read(database.engine, DATA_KEY)
    rotate(database)
    after = stored.read(database.engine, DATA_KEY)
    assert after.all("hashing") == before.all("hashing") and after.all("receipts") == before.all("receipts")
    assert after.current("history").id == "2" and after.get("history", "1") == before.get("history", "1")
    secrets = {key.bytes for key in (*after.all("history"), *after.all("sealing"))}
    assert keyring.expanded(DATA_KEY, "sealing 2") not in secrets  # later keys follow from nothing


@pytest.mark.usefixtures("clock")
def test_a_rotation_that_is_cut_off_leaves_all_readable_and_goes_on_with_the_same_key(
    database: Database, county_inspector: Person, city_reviewer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(city_reviewer.client, city_reviewer)
    record = corrected_record(county_inspector)
    before = county_inspector.get(f"/inspections/{record}").json
    monkeypatch.setattr(resealing, "BATCH", 1)
    left = [3]

    def cut_off(_table: str, tally: Tally) -> None:
        left[0] -= bool(tally.changed)
        if left[0] < 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.rotate(database.engine, DATA_KEY, BEFORE, cut_off, grace=timedelta())
    assert keys_in_use(database) == {"1", "2"}
    assert county_inspector.get(f"/inspections/{record}").json == before
    assert rotate(database).key == "2" and keys_in_use(database) == {"2"}
    assert county_inspector.get(f"/inspections/{record}").json == before


@pytest.mark.usefixtures("clock")
def test_a_write_during_a_batch_is_not_lost(
    client: object, database: Database, city_reviewer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    join(city_reviewer.client, city_reviewer)
    really, writers = rotation._anew, list[threading.Thread]()

    def write() -> None:
        with database.write() as session:
            user = session.scalars(select(User).where(User.username == "zhonglou_li")).one()
            user.mobile = "13700000007"

    def while_another_writes(sealed: str, where: str) -> str:
        if where.startswith("users.") and not writers:
            writers.append(threading.Thread(target=write))
            writers[0].start()
            writers[0].join(0.5)  # done already, unless the row is locked
        return really(sealed, where)

    monkeypatch.setattr(rotation, "_anew", while_another_writes)
    rotate(database)
    writers[0].join()
    with database.read() as session:
        assert session.scalar(select(User.mobile).where(User.username == "zhonglou_li")) == "13700000007"


@pytest.mark.usefixtures("clock")
def test_what_a_server_sealed_with_the_older_key_meanwhile_is_found_by_another_pass(
    database: Database, county_inspector: Person, city_reviewer: Person
) -> None:
    join(city_reviewer.client, city_reviewer)
    older = keyring.installed()
    late = list[bool]()

    def show(table: str, _tally: Tally) -> None:
        if table == "users" or late:
            return
        late.append(True)
        # A server that does not know the new key yet, after this table was passed.
        newer = keyring.installed()
        keyring.install(older)
        with database.write() as session:
            user = session.scalars(select(User).where(User.username == "county_inspector")).one()
            user.mobile = CONTACT
        keyring.install(newer)

    seen = list[str]()

    def both(table: str, tally: Tally) -> None:
        seen.append(table)
        if "users" in seen:
            show(table, tally)

    rotation.rotate(database.engine, DATA_KEY, BEFORE, both, grace=timedelta())
    assert late and keys_in_use(database) == {"2"}
    with database.read() as session:
        assert session.scalar(select(User.mobile).where(User.username == "county_inspector")) == CONTACT


def test_a_retired_key_still_opens_and_is_deleted_a_day_later(
    database: Database, city_reviewer: Person, clock: object
) -> None:
    join(city_reviewer.client, city_reviewer)
    sealed = privacy.seal_for("x", "a place")
    rotate(database)
    assert privacy.unseal_for(sealed, "a place") == "x"
    assert rotate(database).forgotten == []
    clock.shift(timedelta(days=2))  # type: ignore[attr-defined]
    assert rotate(database).forgotten == ["0", "1", "2"]
    with database.read() as session:
        numbers = session.scalars(select(InstallationKey.number).where(InstallationKey.purpose == "sealing")).all()
    assert sorted(numbers) == [3, 4]
    with pytest.raises(privacy.Unopened):
        privacy.unseal_for(sealed, "a place")


def test_a_text_that_looks_sealed_stops_no_rotation(database: Database, county_inspector: Person) -> None:
    typed = "enc2:1:这不是密文"
    record = submit(county_inspector, with_problem({"7.1": "in_progress"}, remark=typed))
    assert rotate(database).unopened == 1
    assert county_inspector.get(f"/inspections/{record['id']}").json["remark"] == typed


def test_the_command_knows_every_table_in_a_process_of_its_own() -> None:
    """A table that is not known keeps the older key, which is deleted a day later."""
    program = "import cli.keys; from core.keys.resealing import places; print(*sorted(places()))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    known = set(done.stdout.split())
    assert known == set(resealing.places())
    assert {"ratings", "rating_contacts", "files", "users", "filings"} <= known
