"""A filing whose form has rows with personal data, files and rows of their own, over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from core import privacy
from core.keys import resealing
from enterprise.filings.integrity import verify_filings
from enterprise.filings.models import Filing, FilingVersion
from tests import paperwork
from tests.enterprise.filings.desk import Desk
from tests.enterprise.filings.invented import invented
from tests.parties import Parties, act, upload
from tests.people import new_id

ROOT = Path(__file__).resolve().parents[3]
FORM: dict[str, Any] = json.loads((ROOT / "tests/vectors/forms/rows.json").read_text(encoding="utf-8"))["forms"][
    "leaders"
]
ID_NO, MOBILE = "11010519491231002X", "13800000001"

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def declared(desk: Desk) -> Desk:
    desk.engine.forms.publish(FORM)
    desk.declare(invented(form_code="leaders"))
    return desk


def leader(proof: str, **changes: Any) -> dict[str, Any]:
    jobs = [{"from_day": "2020-01-01", "current": True, "witness": MOBILE}]
    return {"name": "张伟民", "id_no": ID_NO, "kind": "tech", "proof": proof, "jobs": jobs, **changes}


def proof_of(parties: Parties) -> str:
    return upload(parties.enterprise, paperwork.pdf(new_id()), "聘书.pdf", "licence_document")


def saved(parties: Parties, *rows: dict[str, Any], filing: dict[str, Any] | None = None) -> Any:
    body = {"kind": "invented", "data": {"leaders": list(rows)}}
    version = {} if filing is None else {"version": filing["version"]}
    return parties.enterprise.put(f"/filings/{filing['id'] if filing else new_id()}", {**body, **version})


def test_rows_are_kept_sealed_and_read_clear_by_their_enterprise(declared: Desk, parties: Parties) -> None:
    answer = saved(parties, leader(proof_of(parties)))
    assert answer.status_code == 201, answer.json
    read = parties.enterprise.get(f"/filings/{answer.json['id']}").json["data"]["leaders"][0]
    assert (read["id_no"], read["jobs"][0]["witness"]) == (ID_NO, MOBILE)
    with declared.database.read() as session:
        stored = str(session.scalars(select(Filing.data).where(Filing.kind == "invented")).one())
    assert not any(secret in stored for secret in (ID_NO, MOBILE, "张伟民"))


def test_what_was_sent_is_masked_in_its_versions_and_holds_with_the_history(declared: Desk, parties: Parties) -> None:
    filing = saved(parties, leader(proof_of(parties))).json
    assert act(parties.enterprise, filing, "submit").status_code == 200
    version = parties.reviewer.get(f"/filings/{filing['id']}/versions").json["items"][0]["data"]["leaders"][0]
    assert (version["id_no"], version["jobs"][0]["witness"]) == ("110105********002X", "138****0001")
    with declared.database.read() as session:
        assert list(verify_filings(session, declared.engine.kinds)) == []


def test_a_row_that_is_put_in_the_place_of_another_in_the_table_shows(declared: Desk, parties: Parties) -> None:
    filing = saved(parties, leader(proof_of(parties)), leader(proof_of(parties), name="李四")).json
    assert act(parties.enterprise, filing, "submit").status_code == 200
    with declared.database.write() as session:
        version = session.scalars(select(FilingVersion)).one()
        rows = version.data["leaders"]
        session.execute(
            text("UPDATE filing_versions SET data = :data"),
            {"data": json.dumps({**version.data, "leaders": rows[::-1]})},
        )
    with declared.database.read() as session:
        assert list(verify_filings(session, declared.engine.kinds)) != []


def test_an_office_fetches_the_file_of_a_row_once_it_was_sent(declared: Desk, parties: Parties) -> None:
    proof = proof_of(parties)
    filing = saved(parties, leader(proof)).json
    assert parties.enterprise.get(f"/files/{proof}").status_code == 200
    assert parties.reviewer.get(f"/files/{proof}").status_code == 404
    act(parties.enterprise, filing, "submit")
    assert parties.reviewer.get(f"/files/{proof}").status_code == 200
    assert parties.far_reviewer.get(f"/files/{proof}").status_code == 404


def test_a_file_of_another_or_of_another_kind_is_refused_at_its_place_in_the_row(
    declared: Desk, parties: Parties
) -> None:
    stranger = upload(parties.other_enterprise, paperwork.pdf(new_id()), "聘书.pdf", "licence_document")
    signature = upload(parties.enterprise, paperwork.png(text=new_id()), "签名.png", "signature")
    job = {"from_day": "2020-01-01", "current": True, "seal": proof_of(parties)}
    answer = saved(parties, leader(stranger), leader(signature), leader(proof_of(parties), jobs=[job]))
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [
        ("/data/leaders/0/proof", "unknown_file"),
        ("/data/leaders/1/proof", "wrong_file_type"),
        ("/data/leaders/2/jobs/0/seal", "wrong_file_type"),
    ]


def test_a_file_that_its_row_loses_is_let_go_of_unless_it_was_sent(declared: Desk, parties: Parties) -> None:
    kept, lost = proof_of(parties), proof_of(parties)
    filing = saved(parties, leader(kept), leader(lost)).json
    filing = saved(parties, leader(kept), filing=filing).json
    other = saved(parties, leader(lost))
    assert other.status_code == 201, "it may stand in another filing"
    filing = act(parties.enterprise, filing, "submit").json
    filing = act(parties.reviewer, filing, "ask", comment="换聘书").json
    assert saved(parties, leader(proof_of(parties)), filing=filing).status_code == 200
    assert parties.reviewer.get(f"/files/{kept}").status_code == 200, "the version that was sent names it"


def test_the_key_of_rows_is_changed_like_any_other(declared: Desk, parties: Parties) -> None:
    filing = saved(parties, leader(proof_of(parties))).json

    def seal_anew(sealed: str, where: str) -> str:
        return privacy.seal_for(privacy.unseal_for(sealed, where), where)

    with declared.database.read() as session:
        before = session.scalars(select(Filing.data).where(Filing.kind == "invented")).one()["leaders"][0]
    for _, tally in resealing.walk(declared.database.engine, lambda _sealed: True, seal_anew):
        assert tally.unopened == 0
    with declared.database.read() as session:
        after = session.scalars(select(Filing.data).where(Filing.kind == "invented")).one()["leaders"][0]
    assert before["id_no"] != after["id_no"] and before["jobs"][0]["witness"] != after["jobs"][0]["witness"]
    read = parties.enterprise.get(f"/filings/{filing['id']}").json["data"]["leaders"][0]
    assert (read["name"], read["jobs"][0]["witness"]) == ("张伟民", MOBILE)
