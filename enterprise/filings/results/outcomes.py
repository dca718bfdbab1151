"""What a step gives besides a status: numbers (编号), certificates (证书), what it draws on counters (核销)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.errors import Fault, Problem, invalid
from core.forms.sealing import opened
from enterprise.certificates import counting, numbers, register
from enterprise.certificates.declarations import RELEASE, RESERVE, SETTLE, TAKE, About, Issues, Turns
from enterprise.certificates.models import Certificate
from enterprise.certificates.register import SUBJECT, Act
from enterprise.filings.content import data_place
from enterprise.filings.declaring.declarations import Move
from enterprise.filings.declaring.kinds import FilingKind, Filings
from enterprise.filings.models import Filing
from enterprise.filings.moves import lock
from enterprise.filings.results import claims


def number(move: Move, kind: FilingKind, values: Mapping[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """The column of the number that a filing gets by this step, if it gets one; the history is told of it.

    `values` are the columns that change with the step.
    """
    if kind.number is None or move.filing.number is not None:
        return {}
    gives = move.step.action in kind.numbered_by if kind.numbered_by else move.step.sends
    if not gives:
        return {}
    # In this order everywhere: a filing, then a series, then a certificate.
    lock(move.session, move.filing.id)
    data = move.data if move.step.sends else _data_of(move.filing)
    office_id = values.get("office_id", move.filing.office_id)
    given = numbers.give(move.session, kind.number, kind.code, office_id, data)
    payload["number"] = given
    return {"number": given}


def number_of_opening(
    session: Session, engine: Filings, kind: FilingKind, action: str, office_id: UUID | None, given: Any
) -> str | None:
    """The number of a filing that is opened by a step which gives it, so that its first history row can tell it.

    `given`: what was filled in; where that is not enough for a number, `number` refuses it with the other faults.
    """
    if kind.number is None or action not in kind.numbered_by:
        return None
    form = engine.forms.get(kind.form_code).form
    data = form.check(given if isinstance(given, dict) else {}, submit=False, today=clock.today()).values
    try:
        return numbers.give(session, kind.number, kind.code, office_id, data)
    except Problem:
        return None


def follow(kind: FilingKind, move: Move, comment: str | None = None) -> None:
    """What a step that was taken does to certificates and their counters; the filing's row was written before.

    409 where the certificate does not stand where that may be done, 422 where more is drawn than is left.
    """
    if move.step.draw is not None:
        _draw(kind, move)
    outcome = move.step.certificate
    if outcome is None:
        return
    if isinstance(outcome, Issues):
        certificate = register.issue(outcome.kind, _act(move, comment, _content(move, outcome, None)))
        claims.hand_over(kind, move, certificate.id, outcome.kind.claims)
        return
    certificate = _locked(move, outcome.kind.code, register.of_filing(move.session, outcome.kind, move.filing.id))
    if isinstance(outcome, Turns):
        register.turn(outcome, certificate, _act(move, comment, {}))
    else:
        register.amend(outcome, certificate, _act(move, comment, _content(move, outcome, certificate)))
        claims.hand_over(kind, move, certificate.id, outcome.kind.claims)
    if certificate.status not in outcome.kind.holding:
        claims.free(move, certificate.id)


def drawing_faults(kind: FilingKind, move: Move) -> list[Fault]:
    """Faults of what a step would draw, as the counters are now. (Who draws at the same moment is refused later.)"""
    draws, drawing = kind.draws, move.step.draw
    if draws is None or drawing is None or drawing == RELEASE or move.filing.subject_id is None:
        return []
    if drawing == SETTLE and move.step.form is None:
        return []
    present = counting.of(move.session, move.filing.subject_id)
    found, faults = counting.read(draws, _said(move), present, settles=drawing == SETTLE)
    if drawing == SETTLE and not faults:
        faults = counting.too_much(counting.reserved(move.session, move.filing.id), found)
    return faults


def certificate_for(
    session: Session, engine: Filings, kind: FilingKind, about: About, subject_id: UUID
) -> tuple[Certificate, dict[str, Any]]:
    """The certificate that a new filing is about, and what the filing has of it from the beginning, in clear.

    422 for one of another kind, and for one that does not stand where the filing may begin.
    """
    certificate = session.get(Certificate, subject_id)
    if certificate is None or certificate.kind != about.kind.code:
        raise invalid("/subject", "unknown_subject", f"“{kind.title}”须针对{about.kind.title}办理，请重新选择")
    if certificate.status not in (about.when or about.kind.holding):
        raise register.wrong_status(about.kind, certificate)
    if register.is_over(certificate) and not about.expired:
        said = f"{about.kind.title}已过有效期，不能办理“{kind.title}”"
        raise Problem("wrong_status", said, current_status=certificate.status)
    if not about.copies:
        return certificate, {}
    data = register.data_of(session, engine.forms, certificate, clear=True)
    return certificate, {name: data[name] for name in about.copies if data.get(name) is not None}


def _draw(kind: FilingKind, move: Move) -> None:
    assert kind.draws is not None and kind.about is not None
    session, drawing, filing_id = move.session, move.step.draw, move.filing.id
    certificate = _locked(move, kind.about.kind.code, None)
    of_kind = kind.about.kind
    if drawing == RELEASE:
        counting.release(session, filing_id, move.now)
        register.note_draws(certificate, _act(move, None, {}))
        return
    allowed = (kind.draws.when or of_kind.holding) if drawing != SETTLE else of_kind.holding
    if certificate.status not in allowed:
        raise register.wrong_status(of_kind, certificate)
    if drawing == SETTLE:
        found = None
        if move.step.form is not None:
            found, _ = counting.read(kind.draws, _said(move), counting.of(session, certificate.id), settles=True)
        counting.settle(session, filing_id, found, move.now)
    else:
        if register.is_over(certificate):
            raise Problem("wrong_status", f"{of_kind.title}已过有效期，不能办理", current_status=certificate.status)
        present = counting.of(session, certificate.id)
        wanted, faults = counting.read(kind.draws, _said(move), present, settles=False)
        if faults:
            raise Problem("invalid", errors=faults)
        counting.draw(
            session, kind.draws, certificate.id, filing_id, wanted, move.now, binding=drawing == RESERVE
        )  # fmt: skip
    register.note_draws(certificate, _act(move, None, {}))
    counters = of_kind.counters
    if counters is None or counters.used_up in (None, certificate.status) or drawing not in (SETTLE, TAKE):
        return
    if counters.used_up is not None and counting.all_used(session, counters, certificate.id):
        register.set_status(certificate, counters.used_up, _act(move, None, {}))


def _locked(move: Move, kind_code: str, issued: UUID | None) -> Certificate:
    """The certificate that the filing is about, or has issued."""
    about = move.filing.subject_id if move.filing.subject_type == SUBJECT else issued
    certificate = register.lock(move.session, about) if about is not None else None
    if certificate is None or certificate.kind != kind_code:
        raise RuntimeError(f"filing {move.filing.id} has no certificate {kind_code}")
    return certificate


def _act(move: Move, comment: str | None, data: Mapping[str, Any]) -> Act:
    filing = move.filing
    return Act(
        move.session, move.engine.forms, move.step.action, move.actor, move.now, filing.id,
        (filing.enterprise_id, filing.uscc, filing.org_name), filing.office_id,
        (filing.area1, filing.area2, filing.area3), data, comment,
    )  # fmt: skip


def _content(move: Move, outcome: Any, certificate: Certificate | None) -> dict[str, Any]:
    """What a certificate is to say: what it said, what the filing and the step say, the later over the former."""
    if outcome.kind.content is not None:
        return dict(outcome.kind.content(move))
    former = (
        register.data_of(move.session, move.engine.forms, certificate, clear=True) if certificate is not None else {}
    )
    return {**former, **_data_of(move.filing), **(move.data if not move.step.sends else {})}


def _said(move: Move) -> Mapping[str, Any]:
    """Where a step says what it draws: in its own form, else in the filing's."""
    own = move.step.sends or move.step.form is not None
    return move.data if own and move.data else _data_of(move.filing)


def _data_of(filing: Filing) -> dict[str, Any]:
    return opened(filing.data, data_place(filing.id))
