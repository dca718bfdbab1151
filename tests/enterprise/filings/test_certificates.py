"""Certificates (证书): validity, renewal, cancellation, the claims they hold, their print and its page."""

from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from core import clock
from core.deadlines.periods import add_months
from core.privacy import is_sealed
from enterprise.certificates.integrity import verify_certificates
from enterprise.certificates.models import CertificateVersion
from enterprise.filings.declaring.broken_kinds import refuse_unfit
from tests.documented import INVENTED
from tests.enterprise.filings.test_claims import drafted, send
from tests.enterprise.filings.test_posts import DATA, queued
from tests.inspection.test_record_papers import codes, scanned, words
from tests.kinds.ccc_town import about
from tests.kinds.power_licence import FORMS, power_cancel, power_renewal
from tests.kinds.power_new import FORMS as OF_APPLICATION
from tests.kinds.town import Town, named, paths
from tests.parties import sign_in_enterprise
from tests.people import Person, new_id

NAME = "常州某某电缆有限公司"


@pytest.fixture(autouse=True)
def licences(town: Town) -> None:
    forms = {form["code"]: form for form in (*FORMS, *OF_APPLICATION)}
    for form in FORMS:
        town.engine.forms.publish(form)
    for kind in (power_renewal(), power_cancel()):
        refuse_unfit(kind, forms)
        town.engine.kinds[kind.code] = kind
        INVENTED.update({kind.code, *kind.labels, *(step.action for step in kind.steps)})
        INVENTED.update({status for one in kind.certificates for status in (one.code, *one.by_code)})


def issued(town: Town) -> dict[str, Any]:
    """The licence of an application that was approved."""
    filing = queued(town)
    town.act(town["acceptance"], filing, "accept")
    town.act(town["examiner"], filing, "examine")
    town.act(town["examiner"], filing, "refer")
    town.act(town["approver"], filing, "approve", data={"held_on": "2026-01-05", "votes": "5"})
    paper = town.file(town["issuer"])
    town.act(town["issuer"], filing, "issue", documents=named(("decision", paper)))
    (row,) = town.parties.enterprise.get("/certificates").json["items"]
    assert row["filing_id"] == filing["id"]
    return dict(row)


def read(town: Town, licence: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
    answer = (by or town.parties.enterprise).get(f"/certificates/{licence['id']}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def opened(by: Person, kind: str, licence: dict[str, Any], data: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = by.put(f"/filings/{new_id()}", about(kind, licence, data or {}))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)


def renewed(town: Town, licence: dict[str, Any]) -> None:
    enterprise = town.parties.enterprise
    filing = opened(enterprise, "power_renewal", licence)
    town.act(enterprise, filing, "submit")
    town.act(town["approver"], filing, "approve")


def cancelled(town: Town, licence: dict[str, Any]) -> None:
    filing = opened(town["acceptance"], "power_cancel", licence, {"matter": "企业终止"})
    town.act(town["approver"], filing, "cancel", comment="企业终止")


def test_a_licence_holds_six_years_to_the_same_day_clamped_to_the_months_end(town: Town) -> None:
    with time_machine.travel("2028-02-29T10:00:00+08:00"):
        town.sign_in_anew()
        licence = issued(town)
    assert (licence["valid_from"], licence["valid_to"]) == ("2028-02-29", "2034-02-28")
    assert licence["number"] == "320000-00001-2028"


def test_a_renewal_goes_on_from_the_old_last_day_and_keeps_the_number(town: Town) -> None:
    licence = issued(town)
    renewed(town, licence)
    now = read(town, licence)
    until = add_months(clock.today(), 72)
    assert (now["number"], now["version"], now["valid_to"]) == (
        licence["number"], 2, add_months(until, 72).isoformat(),
    )  # fmt: skip
    assert now["valid_from"] > licence["valid_to"]
    assert town.todos(town.parties.enterprise) == []


def test_what_is_over_is_renewed_no_more(town: Town) -> None:
    licence = issued(town)
    with time_machine.travel(f"{licence['valid_to']}T10:00:00+08:00"):
        town.sign_in_anew()
        assert read(town, licence)["holds"]
    with time_machine.travel(f"{add_months(clock.today(), 73).isoformat()}T10:00:00+08:00"):
        town.sign_in_anew()
        refused = town.parties.enterprise.put(f"/filings/{new_id()}", about("power_renewal", licence, {}))
        assert (refused.status_code, refused.json["code"]) == (409, "wrong_status")


def test_what_its_filing_claimed_the_licence_holds_until_it_ends(town: Town) -> None:
    first, second, licence = town.parties.enterprise, town.parties.other_enterprise, issued(town)
    other = drafted(town, second)
    refused = send(second, other)
    assert (refused.status_code, refused.json["detail"]) == (409, "该身份证号码已被使用")
    # The holder itself names the same person when it renews.
    filing = opened(first, "power_renewal", licence)
    town.act(first, filing, "submit")
    town.act(town["approver"], filing, "deny", comment="资料不全")
    assert send(second, other, comment="再试").status_code == 409
    renewed(town, licence)
    assert send(second, other, comment="又试").status_code == 409
    cancelled(town, licence)
    assert send(second, other, comment="还试").status_code == 200


def test_who_is_named_no_more_in_a_renewal_is_free(town: Town) -> None:
    first, second, licence = town.parties.enterprise, town.parties.other_enterprise, issued(town)
    other = drafted(town, second)
    filing = opened(first, "power_renewal", licence, {"leader_id": "320401198506120026"})
    town.act(first, filing, "submit")
    town.act(town["approver"], filing, "approve")
    assert send(second, other).status_code == 200


def test_after_its_last_day_a_licence_holds_nobody(town: Town) -> None:
    licence, second = issued(town), town.parties.other_enterprise
    other = drafted(town, second)
    with time_machine.travel(f"{add_months(clock.today(), 73).isoformat()}T10:00:00+08:00"):
        assert read(town, licence, _sign_in(town, town.parties.enterprise.username))["status"] == "expired"
        assert send(_sign_in(town, second.username), other).status_code == 200


def _sign_in(town: Town, username: str) -> Person:
    return sign_in_enterprise(town.application, username)


def test_an_office_ends_a_licence_by_itself_with_its_reason_in_the_history(town: Town) -> None:
    licence = issued(town)
    assert town["acceptance"].put(f"/filings/{new_id()}", about("power_cancel", licence, {})).status_code == 422
    cancelled(town, licence)
    now = read(town, licence)
    assert (now["status_label"], now["holds"]) == ("已注销", False)
    moves = town["issuer"].get(f"/certificates/{licence['id']}/history").json["items"]
    assert [(move["action"], move["to"], move.get("comment")) for move in moves] == [
        ("issue", "valid", None), ("cancel", "cancelled", "企业终止"),
    ]  # fmt: skip
    refused = town.parties.enterprise.put(f"/filings/{new_id()}", about("power_renewal", licence, {}))
    assert refused.status_code == 409
    with town.database.read() as session:
        assert list(verify_certificates(session)) == []


def test_only_its_own_kind_of_certificate_is_renewed(town: Town) -> None:
    body = {"kind": "power_renewal", "subject": {"type": "certificate", "id": new_id()}, "data": {}}
    refused = town.parties.enterprise.put(f"/filings/{new_id()}", body)
    assert (refused.status_code, paths(refused.json)) == (422, ["/subject"])


def test_personal_data_in_a_certificate_is_sealed_and_masked(town: Town) -> None:
    licence = issued(town)
    with town.database.read() as session:
        (stored,) = session.scalars(select(CertificateVersion.data))
    assert is_sealed(stored["leader_id"])
    said = read(town, licence, town["issuer"])
    assert DATA["leader_id"] not in str(said) and said["data"]["leader_id"].startswith("110105")


def printed(town: Town, licence: dict[str, Any]) -> bytes:
    answer = town["issuer"].get(f"/certificates/{licence['id']}/print.pdf")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.mimetype == "application/pdf"
    return bytes(answer.data)


def test_a_print_proves_itself_until_the_licence_says_something_else_or_ends(town: Town, client: FlaskClient) -> None:
    licence = issued(town)
    pdf = printed(town, licence)
    for word in ("电力设施许可证", licence["number"], NAME, "等级", "一级", "江苏能源监管办", licence["valid_to"]):
        assert word in words(pdf), word
    status, page = scanned(client, pdf)
    assert status == 200 and "打印件真实，内容是最新的" in page
    for word in (licence["number"], NAME, "一级", "江苏能源监管办", licence["valid_to"], "有效"):
        assert word in page, word
    assert DATA["leader_id"] not in page and "110105" not in page  # no more than the kind makes public
    assert codes(printed(town, licence)) == codes(pdf)
    renewed(town, licence)
    assert "内容已更新" in scanned(client, pdf)[1]
    newer = printed(town, licence)
    with time_machine.travel(f"{read(town, licence)['valid_to']}T23:00:00+08:00"):
        assert "内容是最新的" in scanned(client, newer)[1]
    with time_machine.travel(f"{add_months(clock.today(), 145).isoformat()}T10:00:00+08:00"):
        assert "已过有效期" in scanned(client, newer)[1]
    cancelled(town, licence)
    assert "证书已注销，不再有效" in scanned(client, newer)[1]
    last = printed(town, licence)
    assert codes(last) == set() and "已注销" in words(last)


def test_what_a_certificate_says_that_was_changed_in_the_table_is_found(town: Town) -> None:
    issued(town)
    with town.database.write() as session:
        row = session.scalars(select(CertificateVersion)).one()
        row.data = {**row.data, "level": "five"}
    with town.database.read() as session:
        (broken,) = verify_certificates(session)
    assert "version 1 is not what was issued" in str(broken)
