"""What stands in a new paper before anybody typed: of the check it belongs to, of the register, and of its author."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from core.actor import Actor
from core.forms.form import Form
from core.forms.sealing import opened
from enterprise.queries import by_uscc
from inspection.enforcement.officers import certificates
from inspection.models import Inspection
from inspection.records.content import answers_place

_OF_A_CHECK = frozenset({
    "uscc", "org_name", "org_address", "legal_representative", "check_date", "inspectors", "escort",
})  # fmt: skip
"""Fields that a paper takes from its check where its form has them too; findings are written anew (检查结果)."""


def prefilled(
    session: Session, actor: Actor, form: Form, given: Mapping[str, Any], check: Inspection | None
) -> dict[str, Any]:
    """The answers that were given, with what is known besides; what the form would refuse is left out."""
    said = opened(check.data, answers_place(check.id)) if check is not None else {}
    known = {name: said[name] for name in _OF_A_CHECK if said.get(name) is not None}
    address = said.get("production_address") or said.get("business_address")
    if address and "org_address" not in known:
        known["org_address"] = address
    names = known.pop("inspectors", None) or ([actor.operator_name] if actor.operator_name else [])
    if isinstance(names, list):
        numbers = certificates(session, actor, names)
        known["inspectors"] = [
            {"name": name, **({"certificate_no": numbers[name]} if name in numbers else {})} for name in names
        ]
    fields = {item.name for item in form.items}
    body = {**{name: value for name, value in known.items() if name in fields}, **given}
    return registered(session, form, body)


def registered(session: Session, form: Form, given: Mapping[str, Any]) -> dict[str, Any]:
    """The answers, with what the register says of the enterprise of their credit code where nothing was given."""
    code = given.get("uscc")
    enterprise = by_uscc(session, code) if isinstance(code, str) and code else None
    if enterprise is None:
        return dict(given)
    facts = {
        "name": enterprise.name, "address": enterprise.address,
        "legal_representative": enterprise.legal_representative,
    }  # fmt: skip
    return form.presets(given, {"enterprise": facts}).body
