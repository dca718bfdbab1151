"""Numbers, certificates and counters that cannot work refuse to load, each with the line on which it stands."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.deadlines.periods import WORKING
from enterprise.certificates.declarations import (
    RELEASE,
    RESERVE,
    SETTLE,
    TAKE,
    About,
    CertificateKind,
    CertificateStatus,
    Counter,
    Counters,
    Draws,
    Issues,
    Number,
    Turns,
    Validity,
)
from enterprise.filings.declaring.broken_kinds import BrokenKind
from enterprise.filings.declaring.declarations import APPLICANT, STAYS, Step
from enterprise.filings.declaring.kinds import FilingKind, FilingKinds
from enterprise.production.kinds.posts import OFFICE
from tests.enterprise.filings.invented import FORM
from tests.enterprise.filings.test_broken_kinds import OPEN, PASS, SEND, fitted, small

VALID, VOID = CertificateStatus("valid", "有效"), CertificateStatus("void", "失效", holds=False)
COUNTED = Counters("rows", [Counter("qty", "数量", "qty")])
PAPER: dict[str, Any] = {**FORM, "code": "paper"}


def of(**changes: Any) -> CertificateKind:
    declared: dict[str, Any] = {
        "code": "paper", "title": "证书", "form_code": "paper", "number": Number("Z{seq:04}"),
        "statuses": [VALID, VOID],
    }  # fmt: skip
    return CertificateKind(**{**declared, **changes})


def issuing(**changes: Any) -> FilingKind:
    """A kind whose last step issues a certificate."""
    return small(steps=(OPEN, SEND, replace(PASS, certificate=Issues(of(**changes)))))


def drawing(*more: Step, draws: Draws | None = None) -> FilingKind:
    """A kind that reserves when it is sent, and settles when it is passed."""
    steps = (OPEN, replace(SEND, draw=RESERVE), replace(PASS, draw=SETTLE), *more)
    return small(steps=steps, about=About(of(counters=COUNTED)), draws=draws or Draws({"qty": "qty"}))


def loaded(kind: FilingKind, paper: dict[str, Any] = PAPER) -> FilingKinds:
    return FilingKinds([kind], {"invented": FORM, "paper": paper})


BROKEN: dict[str, tuple[Callable[[], Any], str]] = {
    "a number without a running part": (
        lambda: small(number=Number("MB{year}")),
        "the number MB{year} has not one running part such as {seq:06}",
    ),
    "a number of a field that the form lacks": (
        lambda: fitted(number=Number("MB{yaer}{seq:06}")),
        "the number MB{yaer}{seq:06} names yaer, a field that the form invented does not have",
    ),
    "a number that an unknown step gives": (
        lambda: small(number=Number("MB{seq:06}"), numbered_by=["acept"]),
        "numbered_by names acept, an action that no step declares",
    ),
    "a certificate with a number that does not run": (
        lambda: issuing(number=Number("Z{year}")),
        "the number Z{year} has not one running part",
    ),
    "a certificate that is issued where it does not hold": (
        lambda: issuing(statuses=[VOID, VALID]),
        "the certificate paper is issued in no status that holds",
    ),
    "a certificate that calls a status expired": (
        lambda: issuing(statuses=[VALID, CertificateStatus("expired", "过期")]),
        "paper declares expired, which follows from its last day",
    ),
    "a validity in working days": (
        lambda: issuing(validity=Validity(WORKING, 5)),
        "the validity of paper cannot be counted",
    ),
    "a certificate without its template": (
        lambda: issuing(paper=Path("nowhere.typ")),
        "the certificate paper is printed by nowhere.typ, which there is not",
    ),
    "a claim that the filing does not make": (
        lambda: issuing(claims=["electrician"]),
        "paper takes over the claim electrician, which is not made",
    ),
    "a certificate whose form there is not": (
        lambda: loaded(issuing(form_code="nowhere")),
        "there is no form nowhere",
    ),
    "a certificate that demands what nobody fills in": (
        lambda: loaded(issuing(), PAPER | {"sections": [{"code": "b", "title": "内容", "items": [
            {"field": "grade", "text": "等级", "type": "text", "required": True}]}]}),
        "pass issues paper, which demands grade: nobody fills it in",
    ),
    "a public field that the certificate does not have": (
        lambda: loaded(issuing(public=["whish"])),
        "paper shows to everybody whish, a field that the form paper does not have",
    ),
    "counters of rows that there are not": (
        lambda: loaded(issuing(counters=Counters("rows", [Counter("qty", "数量", "qty")]))),
        "paper counts rows of rows, no group of the form paper",
    ),
    "a certificate used up where it does not hold": (
        lambda: issuing(counters=Counters("rows", [Counter("qty", "数量", "qty")], used_up="void")),
        "paper is used up in void, no status of it that holds",
    ),
    "a change of a certificate that is not there": (
        lambda: small(replace(PASS, action="end", certificate=Turns(of(), "void"))),
        "end changes paper, which it neither issues nor is about",
    ),
    "a change into a status that there is not": (
        lambda: small(replace(PASS, action="end", certificate=Turns(of(), "viod")), about=About(of())),
        "end names viod, a status that paper does not have",
    ),
    "a change out of an end": (
        lambda: small(replace(PASS, action="end", certificate=Turns(of(), "valid", when=["void"])), about=About(of())),
        "end leads paper out of void, which is an end",
    ),
    "a copied field that not both have": (
        lambda: loaded(small(about=About(of(), copies=["whish"]))),
        "about copies whish, which not both invented and the certificate have",
    ),
    "a draw on nothing": (
        lambda: small(replace(PASS, action="take", draw=TAKE)),
        "take draws, but the kind does not say on what",
    ),
    "a draw on a counter that there is not": (
        lambda: drawing(draws=Draws({"weight": "qty"})),
        "it draws on weight, a counter that the certificate does not have",
    ),
    "an end with a reserve open": (
        lambda: drawing(Step("stop", "中止", "first", "done", OFFICE, comment=True)),
        "it may end in done with what is reserved neither settled nor released",
    ),
    "a reserve on top of a reserve": (
        lambda: drawing(Step("again", "再占", "first", STAYS, OFFICE, draw=RESERVE)),
        "again reserves in first what may be reserved already",
    ),
    "a release of what is not reserved": (
        lambda: drawing(Step("free", "释放", "draft", "done", APPLICANT, draw=RELEASE)),
        "free settles or releases in draft what may not be reserved",
    ),
    "a draw by rows that the form does not have": (
        lambda: loaded(drawing()),
        "it draws what the rows of lines say, no group of the form invented",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_outcome_refuses_to_load_with_its_line(name: str) -> None:
    declare, sentence = BROKEN[name]
    with pytest.raises(BrokenKind) as refused:
        declare()
    (line,) = {line for line in str(refused.value).splitlines() if sentence in line}
    place, _, _ = line.partition(": ")
    assert re.fullmatch(r"tests/enterprise/filings/test_broken_(outcomes|kinds)\.py:\d+", place), line
