"""Bureaus, port bureaus and people of the CCC exemption, and its kinds in the engine of an application."""

from typing import Any

from apiflask import APIFlask

from accounts import offices, operations
from accounts.models import OfficeKind, Region
from accounts.verbs import Role
from core.db import Database
from enterprise.filings.declaring.broken_kinds import refuse_unfit
from miniapp_api.http.wiring import KEY
from tests.documented import INVENTED
from tests.kinds.ccc import FORMS, ccc_kinds
from tests.kinds.town import Town
from tests.newcomers import make_user, password_hash
from tests.people import Person, new_id

PLACE = "320402"
POSTS = {
    "ccc_acceptance": Role.CCC_ACCEPTANCE,
    "ccc_first": Role.CCC_FIRST_REVIEW,
    "ccc_final": Role.CCC_FINAL_REVIEW,
    "ccc_comparison": Role.CCC_COMPARISON,
    "ccc_amendment": Role.CCC_AMENDMENT,
    "ccc_supervision": Role.CCC_SUPERVISION,
    "ccc_termination": Role.CCC_TERMINATION,
}
PRODUCT: dict[str, Any] = {
    "hs_code": "8415101000", "name": "空调器", "spec_model": "KF-26", "trademark": "某牌", "manufacturer": "某某厂",
    "qty": "100", "unit": "set", "hs_qty": "250.5",
}  # fmt: skip
CABLE = {**PRODUCT, "hs_code": "8544422900", "name": "电缆", "qty": "20", "unit": "kilogram", "hs_qty": "20"}
APPLICATION: dict[str, Any] = {
    "clause": "maintenance", "trade_mode": "general", "final_use_division": PLACE, "final_use_address": "某路1号",
    "import_purpose": "维修生产线", "products": [PRODUCT, CABLE],
}  # fmt: skip


def settle_ccc(town: Town, ports: int = 2) -> dict[str, str]:
    """Declare the kinds, and let their people in: the posts of the bureau of 天宁区, `port_1` and so on. The ids of the
    port bureaus by the name of their user."""
    application: APIFlask = town.application
    services = application.extensions[KEY]
    database: Database = services.database
    for form in FORMS:
        services.forms.publish(form)
    for kind in ccc_kinds():
        refuse_unfit(kind, {form["code"]: form for form in FORMS})
        services.filings.kinds[kind.code] = kind
        INVENTED.update({kind.code, *kind.labels, *(step.action for step in kind.steps)})
        for certificate in kind.certificates:
            INVENTED.update({certificate.code, *certificate.by_code})
    for name, role in POSTS.items():
        make_user(database, PLACE, name, role)
    make_user(database, "320102", "far_ccc_final", Role.CCC_FINAL_REVIEW)
    ids = {}
    with database.write() as session:
        region = session.get_one(Region, "330000")
        for number in range(1, ports + 1):
            office_id = offices.create_office(
                session, f"第{number}口岸局", OfficeKind.PORT_BUREAU.value, region, None
            )  # fmt: skip
            operations.create_user(
                session, office_id, f"port_{number}", password_hash(), [Role.CCC_WRITE_OFF],
                must_change_password=False,
            )  # fmt: skip
            ids[f"port_{number}"] = str(office_id)
    return ids


def issued(town: Town, **changes: Any) -> dict[str, Any]:
    """The proof of an application that all posts passed."""
    filing = town.open("ccc_application", {**APPLICATION, **changes})
    town.act(town.parties.enterprise, filing, "submit")
    town.act(town["ccc_acceptance"], filing, "accept")
    town.act(town["ccc_first"], filing, "pass")
    town.act(town["ccc_final"], filing, "issue")
    (row,) = [
        row for row in town.parties.enterprise.get("/certificates").json["items"] if row["filing_id"] == filing["id"]
    ]
    return dict(row)


def certificate(town: Town, proof: dict[str, Any], by: Person | None = None) -> dict[str, Any]:
    """A certificate as somebody reads it."""
    answer = (by or town.parties.enterprise).get(f"/certificates/{proof['id']}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.json)


def left(town: Town, proof: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Used, pending and left of each counter, by `name/line`."""
    counters = certificate(town, proof)["counters"]
    return {f"{one['name']}/{one['line']}": (one["used"], one["pending"], one["left"]) for one in counters}


def about(kind: str, proof: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """A body that opens a filing about a certificate."""
    return {"kind": kind, "subject": {"type": "certificate", "id": proof["id"]}, "data": data}


def write_off(by: Person, proof: dict[str, Any], *lines: dict[str, Any], filing_id: str | None = None) -> Any:
    """A direct write-off by an officer; the answer."""
    body = about("ccc_writeoff", proof, {"lines": list(lines)})
    return by.put(f"/filings/{filing_id or new_id()}", body)


def prepared(town: Town, proof: dict[str, Any], port: str, *lines: dict[str, Any]) -> dict[str, Any]:
    """A pre-write-off that the enterprise has opened."""
    body = about("ccc_prewriteoff", proof, {"port": port, "lines": list(lines)})
    answer = town.parties.enterprise.put(f"/filings/{new_id()}", body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return dict(answer.json)
