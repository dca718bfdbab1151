"""Counters of certificates (核销数量): set up from the lines of a version, drawn on by filings, never overdrawn.

A quantity is kept in ten-thousandths, which is exact on every database. Whoever draws has locked the certificate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from core.errors import Fault, Problem
from core.workflows import counters
from enterprise.certificates.declarations import Counters, Draws
from enterprise.certificates.models import CertificateCounter, CounterDraw

_UNITS = 10_000
_LARGEST = 10**14
"""Ten thousand million, in ten-thousandths."""
PENDING, CONFIRMED, RELEASED = "pending", "confirmed", "released"
_COLUMNS = {"used": "used", "total": "total", "pending": "pending"}


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much of a counter of a line, in ten-thousandths; `path` is where the form says it."""

    line: int
    name: str
    amount: int
    path: str


def as_units(value: Any) -> int | None:
    """Ten-thousandths of a number, or None for what is none, is negative, too large, or has more than four places."""
    try:
        scaled = Decimal(str(value)) * _UNITS
    except InvalidOperation:
        return None
    return int(scaled) if scaled.is_finite() and scaled == int(scaled) and 0 <= scaled < _LARGEST else None


def shown(units: int) -> str:
    """The number, without needless zeros."""
    return f"{Decimal(units) / _UNITS:f}".rstrip("0").rstrip(".") if units % _UNITS else str(units // _UNITS)


def of(session: Session, certificate_id: UUID) -> dict[tuple[int, str], CertificateCounter]:
    """The counters of a certificate as they are now, by line and name."""
    asked = select(CertificateCounter).where(CertificateCounter.certificate_id == certificate_id)
    rows = session.scalars(asked.order_by(CertificateCounter.line).execution_options(populate_existing=True)).all()
    return {(row.line, row.name): row for row in rows}


def are_touched(session: Session, certificate_id: UUID) -> bool:
    """Whether something is drawn or reserved."""
    touched = (CertificateCounter.used > 0) | (CertificateCounter.pending > 0)
    asked = select(CertificateCounter.id).where(CertificateCounter.certificate_id == certificate_id, touched)
    return session.scalar(asked.limit(1)) is not None


def set_up(session: Session, declared: Counters, certificate_id: UUID, data: Mapping[str, Any]) -> None:
    """The counters of the lines of a version: of a new one, or of one that changes lines on which nothing was drawn.

    422 where more was drawn or reserved than would be there.
    """
    present = of(session, certificate_id)
    wanted: dict[tuple[int, str], int] = {}
    for place, row in enumerate(data.get(declared.group) or [], 1):
        for counter in declared.each:
            wanted[place, counter.name] = as_units(row.get(counter.field) or 0) or 0
    for key, counter_row in present.items():
        if wanted.get(key, 0) < counter_row.used + counter_row.pending:
            path = f"/data/{declared.group}/{key[0] - 1}"
            raise Problem(
                "invalid", errors=[Fault(path, "out_of_range", "数量不能小于已核销和待确认的数量之和，请重新填写")]
            )
        if key in wanted:
            session.execute(
                update(CertificateCounter).where(CertificateCounter.id == counter_row.id).values(total=wanted[key])
            )
    gone = [row.id for key, row in present.items() if key not in wanted]
    if gone:
        session.execute(delete(CertificateCounter).where(CertificateCounter.id.in_(gone)))
    fresh = [
        {"id": uuid4(), "certificate_id": certificate_id, "line": line, "name": name, "total": total, "used": 0,
         "pending": 0}
        for (line, name), total in wanted.items() if (line, name) not in present
    ]  # fmt: skip
    if fresh:
        session.execute(insert(CertificateCounter), fresh)


def read(
    draws: Draws, data: Mapping[str, Any], present: Mapping[tuple[int, str], CertificateCounter], *, settles: bool
) -> tuple[list[Quantity], list[Fault]]:
    """What the rows of a form draw, and their faults; `settles`: they are what was really found.

    Each line once, at least one; no quantity negative. What is asked for is no more than is left, and of each line one
    quantity is positive; of what was found all may be zero.
    """
    rows: Sequence[Mapping[str, Any]] = data.get(draws.group) or []
    if not rows:
        return [], [Fault(f"/data/{draws.group}", "required", "请至少填写一行")]
    found: list[Quantity] = []
    faults: list[Fault] = []
    seen: set[int] = set()
    for place, row in enumerate(rows):
        where = f"/data/{draws.group}/{place}"
        line = _line(row.get(draws.line))
        if line is None or not any(key[0] == line for key in present):
            faults.append(Fault(f"{where}/{draws.line}", "unknown_option", "证书上没有这一行，请核对行号"))
            continue
        if line in seen:
            faults.append(Fault(f"{where}/{draws.line}", "duplicate", "同一行只能填写一次，请合并"))
        seen.add(line)
        of_row, of_faults = _of_row(draws, row, line, where, present if not settles else None)
        found += of_row
        faults += of_faults
    return found, faults


def _of_row(
    draws: Draws, row: Mapping[str, Any], line: int, where: str,
    present: Mapping[tuple[int, str], CertificateCounter] | None,
) -> tuple[list[Quantity], list[Fault]]:  # fmt: skip
    found: list[Quantity] = []
    faults: list[Fault] = []
    for name, field in draws.quantities.items():
        value = row.get(field)
        amount = 0 if value in (None, "") else as_units(value)
        path = f"{where}/{field}"
        if amount is None:
            faults.append(Fault(path, "out_of_range", "数量不能为负数，最多四位小数，请重新填写"))
            continue
        counter = present.get((line, name)) if present is not None else None
        if counter is not None and amount > counter.total - counter.used - counter.pending:
            faults.append(Fault(path, "out_of_range", _with_left(draws, counter)))
        found.append(Quantity(line, name, amount, path))
    if found and not faults and present is not None and not any(one.amount for one in found):
        faults.append(Fault(where, "required", "本次数量不能同时为零，请填写本次数量"))
    return found, faults


def _line(value: Any) -> int | None:
    text = str(value) if value is not None else ""
    return int(text) if text.isdecimal() and len(text) <= 6 else None


def _with_left(draws: Draws, counter: CertificateCounter) -> str:
    return f"{draws.message}（剩余{shown(counter.total - counter.used - counter.pending)}）"


def draw(
    session: Session, draws: Draws, certificate_id: UUID, filing_id: UUID, wanted: Sequence[Quantity], now: datetime,
    *, binding: bool,
) -> None:  # fmt: skip
    """Draw at once, or reserve (`binding`) until it is settled or released. 422 where more is asked than is left."""
    present = of(session, certificate_id)
    rows = []
    for one in sorted(wanted, key=lambda one: (one.line, one.name)):
        counter = present.get((one.line, one.name))
        if counter is None:
            raise Problem("invalid", errors=[Fault(one.path, "unknown_option", "证书上没有这一行，请核对行号")])
        how = counters.reserve if binding else counters.draw
        if not how(session, CertificateCounter, counter.id, one.amount, **_COLUMNS):
            raise Problem("invalid", errors=[Fault(one.path, "out_of_range", draws.message)])
        rows.append({
            "id": uuid4(), "certificate_id": certificate_id, "filing_id": filing_id, "line": one.line,
            "name": one.name, "asked": one.amount, "found": None if binding else one.amount,
            "status": PENDING if binding else CONFIRMED, "made_at": now, "settled_at": None if binding else now,
        })  # fmt: skip
    session.execute(insert(CounterDraw), rows)


def reserved(session: Session, filing_id: UUID) -> list[CounterDraw]:
    """What a filing has reserved."""
    mine = select(CounterDraw).where(CounterDraw.filing_id == filing_id, CounterDraw.status == PENDING)
    return list(session.scalars(mine.order_by(CounterDraw.line, CounterDraw.name)))


def too_much(asked: Sequence[CounterDraw], found: Sequence[Quantity]) -> list[Fault]:
    """Faults of what was found: more than was reserved, or a line left out."""
    limits = {(one.line, one.name): one.asked for one in asked}
    faults = [
        Fault(one.path, "out_of_range", "核销数量不能大于申请的数量，请核对后重新填写")
        for one in found if one.amount > limits.get((one.line, one.name), 0)
    ]  # fmt: skip
    missing = {one.line for one in asked} - {one.line for one in found}
    said = "缺少第{}行的核销数量，没有的请填0"
    return [*faults, *(Fault("/data", "required", said.format(line)) for line in sorted(missing))]


def settle(session: Session, filing_id: UUID, found: Sequence[Quantity] | None, now: datetime) -> None:
    """Confirm what a filing has reserved: with what was `found`, all of it where None; the rest is free again."""
    amounts = {(one.line, one.name): one.amount for one in found} if found is not None else None
    for row in reserved(session, filing_id):
        amount = row.asked if amounts is None else amounts.get((row.line, row.name), 0)
        _end(session, row, amount, CONFIRMED, now)


def release(session: Session, filing_id: UUID, now: datetime) -> None:
    """Give back what a filing has reserved."""
    for row in reserved(session, filing_id):
        _end(session, row, 0, RELEASED, now)


def _end(session: Session, row: CounterDraw, found: int, status: str, now: datetime) -> None:
    counter = session.scalars(
        select(CertificateCounter.id).where(
            CertificateCounter.certificate_id == row.certificate_id, CertificateCounter.line == row.line,
            CertificateCounter.name == row.name,
        )
    ).one()  # fmt: skip
    if not counters.settle(
        session, CertificateCounter, counter, row.asked, found, used="used", pending="pending"
    ):  # fmt: skip
        raise RuntimeError(f"counter {counter} lost what filing {row.filing_id} had reserved")
    session.execute(
        update(CounterDraw).where(CounterDraw.id == row.id).values(status=status, found=found, settled_at=now)
    )


def all_used(session: Session, declared: Counters, certificate_id: UUID) -> bool:
    """Whether of each line nothing is left of the decisive counters."""
    names = [counter.name for counter in declared.each if counter.decisive]
    left = select(func.count()).where(
        CertificateCounter.certificate_id == certificate_id, CertificateCounter.name.in_(names),
        CertificateCounter.used < CertificateCounter.total,
    )  # fmt: skip
    return session.scalar(left) == 0
