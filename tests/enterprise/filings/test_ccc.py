"""CCC免办 over HTTP by all who take part: application, proof, amendment, write-off at ports, use of the goods."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, text

from core import clock
from core.deadlines.periods import add_months
from core.models import HistoryEntry, HistoryPayload
from enterprise.certificates.integrity import verify_certificates
from enterprise.filings.results.number_integrity import verify_numbers
from tests.kinds.ccc_town import (
    APPLICATION,
    PRODUCT,
    about,
    certificate,
    issued,
    left,
    prepared,
    settle_ccc,
    write_off,
)
from tests.kinds.town import Town, paths
from tests.newcomers import at_once
from tests.people import Person, new_id

TWENTY = 20


@pytest.fixture
def ports(town: Town) -> dict[str, str]:
    return settle_ccc(town)


def test_an_application_goes_back_to_the_post_that_asked_and_ends_in_a_proof(town: Town, ports: Any) -> None:
    enterprise = town.parties.enterprise
    filing = town.open("ccc_application", {**APPLICATION, "invoice_no": "FP-1"})
    assert paths(town.act(enterprise, filing, "submit", expect=422)) == ["/documents"]
    saved = {"data": APPLICATION, "version": town.read(filing)["version"]}
    assert enterprise.put(f"/filings/{filing['id']}", saved).status_code == 200
    sent = town.act(enterprise, filing, "submit")
    year = clock.today().year
    assert (sent["status"], sent["number"]) == ("accepting", f"MB{year}32000001")
    town.act(town["ccc_acceptance"], filing, "accept")
    assert paths(town.act(town["ccc_first"], filing, "return", expect=422)) == ["/comment", "/data/parts"]
    town.act(town["ccc_first"], filing, "return", comment="产品型号有误", data={"parts": ["products"]})
    assert town.read(filing)["locks"] == ["clause", "final_use_division"]
    assert town.act(enterprise, filing, "submit")["status"] == "first_review"
    town.act(town["ccc_first"], filing, "pass")
    town.act(town["ccc_final"], filing, "compare")
    town.act(town["ccc_final"], filing, "issue", expect=403)
    town.act(town["ccc_acceptance"], filing, "issue", expect=403)
    assert enterprise.get("/certificates").json["items"] == []
    town.act(town["ccc_comparison"], filing, "issue")
    (proof,) = enterprise.get("/certificates").json["items"]
    assert [row["number"] for row in town.read(filing)["certificates"]] == [proof["number"]]
    assert (proof["filing_id"], proof["org_name"]) == (filing["id"], "常州某某电缆有限公司")


def test_a_proof_has_its_number_products_validity_and_counters(town: Town, ports: Any) -> None:
    proof, today = issued(town), clock.today()
    assert (proof["number"], proof["status"], proof["holds"]) == (f"320402{today.year}000001", "valid", True)
    assert proof["valid_to"] == add_months(today, 12).isoformat()
    whole = certificate(town, proof)
    assert [row["name"] for row in whole["data"]["products"]] == ["空调器", "电缆"]
    assert left(town, proof) == {
        "qty/1": ("0", "0", "100"), "hs_qty/1": ("0", "0", "250.5"), "usage/1": ("0", "0", "100"),
        "qty/2": ("0", "0", "20"), "hs_qty/2": ("0", "0", "20"), "usage/2": ("0", "0", "20"),
    }  # fmt: skip
    assert issued(town)["number"].endswith("000002")
    (move,) = town["ccc_final"].get(f"/certificates/{proof['id']}/history").json["items"]
    assert (move["action"], move["to"], move["number"], move["actor"]) == (
        "issue",
        "valid",
        proof["number"],
        "ccc_final",
    )


def test_who_reads_a_proof(town: Town, ports: Any) -> None:
    proof = issued(town)
    for reader in (town.parties.enterprise, town["ccc_final"], town["ccc_acceptance"], town["port_1"]):
        assert certificate(town, proof, reader)["number"] == proof["number"]
        assert [row["id"] for row in reader.get("/certificates?kind=ccc_proof").json["items"]] == [proof["id"]]
    for stranger in (
        town.parties.other_enterprise, town.parties.reviewer, town["formal"], town["agency"], town["far_ccc_final"],
    ):  # fmt: skip
        assert stranger.get("/certificates").json["total"] == 0
        for path in ("", "/versions", "/draws", "/history", "/print.pdf"):
            assert stranger.get(f"/certificates/{proof['id']}{path}").status_code == 404
    port = town["port_2"]
    for q in (proof["number"], "某某电缆"):
        assert [row["id"] for row in port.get(f"/certificates?q={q}").json["items"]] == [proof["id"]]
    assert port.get("/certificates?q=无此企业").json["items"] == []


def test_the_last_day_holds_and_the_day_after_does_not(town: Town, ports: Any) -> None:
    until = (clock.today() + timedelta(days=3)).isoformat()
    filing = town.open("ccc_application", APPLICATION)
    town.act(town.parties.enterprise, filing, "submit")
    town.act(town["ccc_acceptance"], filing, "accept")
    town.act(town["ccc_first"], filing, "pass")
    past = (clock.today() - timedelta(days=1)).isoformat()
    assert paths(town.act(town["ccc_final"], filing, "issue", expect=422, data={"valid_to": past})) == [
        "/data/valid_to"
    ]
    town.act(town["ccc_final"], filing, "issue", data={"valid_to": until})
    (proof,) = town.parties.enterprise.get("/certificates").json["items"]
    assert proof["valid_to"] == until
    last = clock.now() + timedelta(days=3)
    with time_machine.travel(last):
        town.sign_in_anew()
        assert certificate(town, proof)["holds"]
        assert write_off(town["port_1"], proof, {"line": 1, "qty": "1"}).status_code == 201
    with time_machine.travel(last + timedelta(days=1)):
        town.sign_in_anew()
        assert (certificate(town, proof)["status_label"], certificate(town, proof)["holds"]) == ("已过期", False)
        listed = [town.parties.enterprise.get(f"/certificates?status={status}").json for status in ("valid", "expired")]
        assert [page["total"] for page in listed] == [0, 1]
        assert write_off(town["port_1"], proof, {"line": 1, "qty": "1"}).status_code == 409


def test_a_pre_write_off_binds_until_its_port_confirms_what_was_found(town: Town, ports: dict[str, str]) -> None:
    enterprise, proof = town.parties.enterprise, issued(town)
    draft = prepared(town, proof, ports["port_1"], {"line": 1, "qty": "60", "hs_qty": "150"}, {"line": 2, "qty": "5.5"})
    assert left(town, proof)["qty/1"] == ("0", "0", "100")
    town.act(enterprise, draft, "submit")
    assert (left(town, proof)["qty/1"], left(town, proof)["qty/2"]) == (("0", "60", "40"), ("0", "5.5", "14.5"))
    more = prepared(town, proof, ports["port_2"], {"line": 1, "qty": "41"})
    refused = town.act(enterprise, more, "submit", expect=422)
    assert (paths(refused), refused["errors"][0]["message"]) == (
        ["/data/lines/0/qty"], "本次预核销数量不能大于剩余可核销数量（剩余40）",
    )  # fmt: skip
    assert paths(enterprise.get(f"/filings/{more['id']}/check").json) == ["/data/lines/0/qty"]
    assert write_off(town["port_2"], proof, {"line": 1, "qty": "41"}).status_code == 422
    # The other port reads the certificate, but what was announced at this one is not its.
    assert town["port_2"].get(f"/filings/{draft['id']}").status_code == 404
    found = {"lines": [{"line": 1, "qty": "61"}, {"line": 2, "qty": "0"}]}
    assert paths(town.act(town["port_1"], draft, "confirm", expect=422, data=found)) == ["/data/lines/0/qty"]
    assert paths(town.act(town["port_1"], draft, "confirm", expect=422, data={"lines": [{"line": 1, "qty": "1"}]})) == [
        "/data",
    ]  # fmt: skip
    found["lines"][0] = {"line": 1, "qty": "50", "hs_qty": "150"}
    town.act(town["port_1"], draft, "confirm", data=found)
    assert (left(town, proof)["qty/1"], left(town, proof)["hs_qty/1"]) == (("50", "0", "50"), ("150", "0", "100.5"))
    assert left(town, proof)["qty/2"] == ("0", "0", "20")
    town.act(enterprise, more, "submit")
    town.act(town["port_2"], more, "reject", comment="货物未到")
    assert left(town, proof)["qty/1"] == ("50", "0", "50")
    drawn = enterprise.get(f"/certificates/{proof['id']}/draws").json["items"]
    assert sorted((one["line"], one["name"], one["asked"], one["found"], one["status"]) for one in drawn) == [
        (1, "hs_qty", "0", "0", "released"), (1, "hs_qty", "150", "150", "confirmed"),
        (1, "qty", "41", "0", "released"), (1, "qty", "60", "50", "confirmed"),
        (2, "hs_qty", "0", "0", "confirmed"), (2, "qty", "5.5", "0", "confirmed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([], ["/data/lines"]),
        ([{"line": 3, "qty": "1"}], ["/data/lines/0/line"]),
        ([{"line": 1, "qty": "0", "hs_qty": "0"}], ["/data/lines/0"]),
        ([{"line": 1, "qty": "-1"}], ["/data/lines/0/qty"]),
        ([{"line": 1, "qty": "1"}, {"line": 1, "qty": "1"}], ["/data/lines/1/line"]),
        ([{"line": 1, "qty": "101", "hs_qty": "251"}], ["/data/lines/0/hs_qty", "/data/lines/0/qty"]),
    ],
)
def test_a_write_off_that_cannot_be_is_refused_where_it_is_wrong(
    town: Town, ports: Any, lines: Any, wrong: Any
) -> None:
    proof = issued(town)
    refused = write_off(town["port_1"], proof, *lines)
    assert (refused.status_code, paths(refused.json)) == (422, wrong)
    assert {used for used, _, _ in left(town, proof).values()} == {"0"}


def numbers_told(town: Town, filing: dict[str, Any]) -> list[str | None]:
    """The number that each row of a filing's history says was given."""
    rows = select(HistoryPayload.payload).join(HistoryEntry, HistoryEntry.id == HistoryPayload.history_id)
    with town.database.read() as session:
        of_it = rows.where(HistoryEntry.subject_id == UUID(filing["id"])).order_by(HistoryEntry.seq)
        return [payload.get("number") for payload in session.scalars(of_it)]


def test_once_all_is_written_off_the_proof_is_finished_whatever_the_other_unit_says(town: Town, ports: Any) -> None:
    proof, port = issued(town), town["port_1"]
    first = write_off(port, proof, {"line": 1, "qty": "100", "hs_qty": "1"})
    number = f"HX{clock.today().year}000001"
    assert (first.status_code, first.json["number"]) == (201, number)
    assert numbers_told(town, first.json) == [number]
    assert certificate(town, proof)["status"] == "valid"
    assert write_off(port, proof, {"line": 2, "qty": "20"}).status_code == 201
    assert certificate(town, proof)["status_label"] == "已核销完毕"
    refused = write_off(port, proof, {"line": 1, "hs_qty": "1"})
    assert (refused.status_code, refused.json["code"]) == (409, "wrong_status")
    # What became of the goods is reported afterwards too, by a counter of its own.
    body = about("ccc_usage", proof, {"use": "use", "unit": "某厂", "lines": [{"line": 1, "quantity": "70"}]})
    usage = town.parties.enterprise.put(f"/filings/{new_id()}", body).json
    town.act(town.parties.enterprise, usage, "submit")
    town.act(town["ccc_supervision"], usage, "return", comment="附件不清")
    assert left(town, proof)["usage/1"] == ("0", "0", "100")
    town.act(town.parties.enterprise, usage, "submit")
    town.act(town["ccc_supervision"], usage, "pass")
    assert left(town, proof)["usage/1"] == ("70", "0", "30")


def test_a_proof_is_amended_by_its_holder_and_says_the_new_from_the_confirmation_on(town: Town, ports: Any) -> None:
    enterprise, officer, proof = town.parties.enterprise, town["ccc_amendment"], issued(town)
    opened = officer.put(f"/filings/{new_id()}", about("ccc_amendment", proof, {}))
    assert opened.status_code == 201, opened.get_data(as_text=True)
    amendment = opened.json
    assert certificate(town, proof)["status"] == "amending"
    assert town.todos(enterprise) == ["请修改免办证明：常州某某电缆有限公司"]
    copied = town.read(amendment)["data"]["products"]
    assert [row["qty"] for row in copied] == ["100", "20"]
    for refused in (
        write_off(town["port_1"], proof, {"line": 1, "qty": "1"}),
        enterprise.put(f"/filings/{new_id()}", about("ccc_prewriteoff", proof, {})),
        officer.put(f"/filings/{new_id()}", about("ccc_amendment", proof, {})),
    ):
        assert refused.status_code == 409, refused.get_data(as_text=True)
    data = {"products": [{**PRODUCT, "qty": "80"}], "change_reason": "数量有误"}
    body = {"data": data, "version": town.read(amendment)["version"]}
    assert enterprise.put(f"/filings/{amendment['id']}", body).status_code == 200
    town.act(enterprise, amendment, "submit")
    town.act(officer, amendment, "return", comment="请核对")
    town.act(enterprise, amendment, "submit")
    assert certificate(town, proof)["counters"][0]["total"] == "100"
    town.act(officer, amendment, "confirm")
    now = certificate(town, proof)
    assert (now["status"], now["version"], now["number"], now["valid_to"]) == (
        "valid", 2, proof["number"], proof["valid_to"],
    )  # fmt: skip
    assert left(town, proof) == {
        "qty/1": ("0", "0", "80"), "hs_qty/1": ("0", "0", "250.5"), "usage/1": ("0", "0", "80"),
    }  # fmt: skip
    assert now["data"]["clause"] == "maintenance"
    said = enterprise.get(f"/certificates/{proof['id']}/versions").json["items"]
    assert [len(one["data"]["products"]) for one in said] == [2, 1]
    moves = enterprise.get(f"/certificates/{proof['id']}/history").json["items"]
    assert [move["action"] for move in moves] == ["issue", "open", "confirm"]


def test_what_is_reserved_or_written_off_is_amended_no_more(town: Town, ports: dict[str, str]) -> None:
    officer, proof = town["ccc_amendment"], issued(town)
    draft = prepared(town, proof, ports["port_1"], {"line": 1, "qty": "1"})
    town.act(town.parties.enterprise, draft, "submit")

    def open_it() -> Any:
        return officer.put(f"/filings/{new_id()}", about("ccc_amendment", proof, {}))

    refused = open_it()
    assert (refused.status_code, refused.json["code"]) == (409, "wrong_status")
    town.act(town["port_1"], draft, "reject", comment="未到")
    assert open_it().status_code == 201


def test_nobody_opens_anything_about_the_proof_of_another(town: Town, ports: dict[str, str]) -> None:
    proof = issued(town)
    body = about("ccc_prewriteoff", proof, {})
    refused = town.parties.other_enterprise.put(f"/filings/{new_id()}", body)
    assert (refused.status_code, paths(refused.json)) == (422, ["/subject"])


def patiently(call: Callable[[], Any]) -> Callable[[], Any]:
    """Sends again what a busy server could not take (503), as phones do: on a slow machine twenty wait long."""

    def again() -> Any:
        for _ in range(TWENTY):
            answer = call()
            if answer.status_code != 503:
                return answer
        raise AssertionError("busy all the time")

    return again


def own_clients(town: Town, people: list[Person]) -> list[Person]:
    return [Person(one.username, town.application.test_client(), one.token) for one in people]


def test_twenty_ports_that_write_off_at_once_never_take_more_than_there_is(town: Town) -> None:
    settle_ccc(town, ports=TWENTY)
    proof = issued(town)
    ports = own_clients(town, [town[f"port_{number}"] for number in range(1, TWENTY + 1)])
    line = {"line": 1, "qty": "13.3", "hs_qty": "1"}
    answers = at_once(*(patiently(partial(write_off, port, proof, line, filing_id=new_id())) for port in ports))
    assert sorted(answer.status_code for answer in answers) == [201] * 7 + [422] * 13
    assert left(town, proof)["qty/1"] == ("93.1", "0", "6.9")
    numbers = sorted(answer.json["number"] for answer in answers if answer.status_code == 201)
    assert numbers == [f"HX{clock.today().year}{number:06}" for number in range(1, 8)]
    with town.database.read() as session:
        assert list(verify_certificates(session)) == []


def test_twenty_announcements_at_once_reserve_no_more_than_there_is_and_are_confirmed_at_once(town: Town) -> None:
    ids = settle_ccc(town, ports=TWENTY)
    enterprise, proof = town.parties.enterprise, issued(town)
    drafts = {name: prepared(town, proof, office_id, {"line": 1, "qty": "9"}) for name, office_id in ids.items()}
    senders = own_clients(town, [enterprise] * TWENTY)

    def take(by: Person, filing: Any, action: str, **body: Any) -> Any:
        return by.post(f"/filings/{filing['id']}/actions/{action}", {"version": filing["version"], **body})

    pairs = zip(senders, drafts.values(), strict=True)
    sent = at_once(*(patiently(partial(take, by, one, "submit")) for by, one in pairs))
    assert sorted(answer.status_code for answer in sent) == [200] * 11 + [422] * 9
    assert left(town, proof)["qty/1"] == ("0", "99", "1")
    there = {answer.json["id"]: answer.json for answer in sent if answer.status_code == 200}
    waiting = [(town[name], there[one["id"]]) for name, one in drafts.items() if one["id"] in there]
    ports = own_clients(town, [port for port, _ in waiting])
    found = {"lines": [{"line": 1, "qty": "7.5"}]}
    confirmed = at_once(
        *(patiently(partial(take, by, one, "confirm", data=found)) for by, (_, one) in zip(ports, waiting, strict=True))
    )
    assert {answer.status_code for answer in confirmed} == {200}
    assert left(town, proof)["qty/1"] == ("82.5", "0", "17.5")


def test_of_an_amendment_and_a_write_off_at_one_moment_one_wins(town: Town, ports: Any) -> None:
    proof = issued(town)
    officer, port = own_clients(town, [town["ccc_amendment"], town["port_1"]])
    answers = at_once(
        partial(officer.put, f"/filings/{new_id()}", about("ccc_amendment", proof, {})),
        partial(write_off, port, proof, {"line": 1, "qty": "1"}),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("certificate_counters", "used = 1", "counter qty of line 1 is not what was drawn"),
        ("certificate_counters", "total = total + 10000", "the totals of its counters are not what its version says"),
        ("counter_draws", "name = 'hs_qty'", "drew is not what its history says"),
        ("certificates", "valid_to = '2099-12-31'", "its holder, number or validity is not what its history says"),
        ("certificates", "org_name = '别的公司'", "its holder, number or validity is not what its history says"),
        ("certificate_versions", "valid_to = '2099-12-31'", "version 1 is not what was issued"),
        ("filings", "number = 'HX2020000009'", "its number is not the one that was given"),
        ("number_series", "last = 7", "stands at 7, which is not the last number given"),
    ],
)
def test_what_was_changed_in_the_tables_of_a_certificate_is_named(
    town: Town, ports: Any, table: str, change: str, said: str
) -> None:
    proof = issued(town)
    assert write_off(town["port_1"], proof, {"line": 1, "qty": "10"}).status_code == 201
    sent = prepared(town, proof, ports["port_1"], {"line": 2, "qty": "1"})
    town.act(town.parties.enterprise, sent, "submit")

    def found() -> str:
        with town.database.read() as session:
            return "; ".join(map(str, [*verify_certificates(session), *verify_numbers(session, town.engine.kinds)]))

    assert found() == ""
    only = {"certificate_counters": "used > 0", "counter_draws": "status = 'confirmed'", "filings": "number LIKE 'HX%'"}
    with town.database.write() as session:
        session.execute(text(f"UPDATE {table} SET {change} WHERE {only.get(table, '1 = 1')}"))
    assert said in found()


def test_a_draw_and_its_counter_that_were_changed_alike_are_named(town: Town, ports: Any) -> None:
    proof = issued(town)
    assert write_off(town["port_1"], proof, {"line": 1, "qty": "10"}).status_code == 201
    with town.database.write() as session:
        session.execute(text("UPDATE counter_draws SET asked = 10000, found = 10000 WHERE name = 'qty'"))
        session.execute(text("UPDATE certificate_counters SET used = 10000 WHERE used > 0 AND name = 'qty'"))
    with town.database.read() as session:
        (broken,) = verify_certificates(session)
    assert "drew is not what its history says" in str(broken)
