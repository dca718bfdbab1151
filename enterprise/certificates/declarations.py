"""What a review may end in, as it is declared: numbers (编号), certificates (证书、证明、许可证), counters (核销数量).

Declarations import nothing of the engine. Each remembers the file and line on which it was written.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from accounts.models import Office
from core.declared_places import declared_at, passes_over

passes_over(__file__)

PAPERS = Path(__file__).resolve().parent / "papers"
_SEQ = re.compile(r"\{seq:0([1-9])\}")
_FIELD = re.compile(r"\{([^{}]*)\}")


def _region_of(office: Office) -> str:
    return office.region_code or "000000"


@dataclass(frozen=True, slots=True)
class Number:
    """A number (编号) such as `MB{year}{office}{seq:06}`: without gaps or doubles within a series.

    A series is all that the number says besides `{seq:0N}`, so what stands in the pattern says of what it counts: of
    the `{year}`, of the `{office}` that handles the filing (in the words of `office`, by default the code of its
    region), of fields of the filing's data. Kinds that name one `series` count together.
    """

    pattern: str
    office: Callable[[Office], str] = _region_of
    series: str | None = None
    place: str = field(default_factory=declared_at, compare=False, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether it has one running number."""
        return len(_SEQ.findall(self.pattern)) == 1

    @property
    def names(self) -> frozenset[str]:
        """What the pattern names besides the running number."""
        return frozenset(_FIELD.findall(_SEQ.sub("", self.pattern)))

    @property
    def fields(self) -> frozenset[str]:
        """The fields of the data among them."""
        return self.names - {"year", "office"}

    def stem(self, values: Mapping[str, str]) -> str:
        """The number but for its running part, in whose place `#` stands."""
        return _FIELD.sub(lambda found: values[found[1]], _SEQ.sub("#", self.pattern))

    def written(self, stem: str, running: int) -> str:
        """The number with its running part."""
        (width,) = _SEQ.findall(self.pattern)
        return stem.replace("#", f"{running:0{width}}", 1)


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a certificate holds: `number` of `unit` from the day of issue, the last day being the same day clamped
    to the month's end; or until the day that the field `until` holds, if it holds one.

    `until` is a field of the issuing step's form or of the filing.
    """

    unit: str
    number: int
    until: str | None = None
    place: str = field(default_factory=declared_at, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """A status of a certificate. Where it does not hold (`holds`) any more, it has ended: nothing leads out of it, its
    claims are free, and its prints are void."""

    code: str
    label: str
    holds: bool = True
    place: str = field(default_factory=declared_at, compare=False, repr=False)


EXPIRED = "expired"
"""Shown in the place of a status that holds, after the last day (已过期); no status is called so."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A quantity of each line (核销数量): the field of its rows that says how much there is, and the one with its unit.

    `decisive`: a line is used up when its decisive counters are.
    """

    name: str
    label: str
    field: str
    unit: str | None = None
    decisive: bool = True


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of the rows of `group`. Once all are used up the certificate is `used_up`, if that is a status."""

    group: str
    each: Sequence[Counter]
    used_up: str | None = None
    place: str = field(default_factory=declared_at, compare=False, repr=False)


@dataclass(frozen=True)
class CertificateKind:
    """A kind of certificate. It is issued in the first of its statuses.

    `form_code` is the form of what it says; it says what the issuing filing and the step's form say in fields of the
    same names, or what `content` makes of the Move. `claims` are the claims of its filings which it holds from then on.
    `listed` are fields shown in lists, `public` those that anybody sees who scans the code on it, besides number,
    holder, issuer and validity. `paper` is the template of its print.
    """

    code: str
    title: str
    form_code: str
    number: Number
    statuses: Sequence[CertificateStatus]
    validity: Validity | None = None
    counters: Counters | None = None
    claims: Sequence[str] = ()
    listed: Sequence[str] = ()
    public: Sequence[str] = ()
    content: Callable[[Any], Mapping[str, Any]] | None = None
    paper: Path = PAPERS / "certificate.typ"
    place: str = field(default_factory=declared_at, compare=False, repr=False)

    @cached_property
    def by_code(self) -> dict[str, CertificateStatus]:
        """Its statuses."""
        return {status.code: status for status in self.statuses}

    def label(self, status: str) -> str:
        """The Chinese label of a status."""
        return "已过期" if status == EXPIRED else self.by_code[status].label

    @cached_property
    def holding(self) -> frozenset[str]:
        """The statuses in which it holds."""
        return frozenset(status.code for status in self.statuses if status.holds)


@dataclass(frozen=True, slots=True)
class Issues:
    """A step issues a certificate (发证)."""

    kind: CertificateKind


@dataclass(frozen=True, slots=True)
class Amends:
    """A step gives a certificate a new version (变更、延续); its number stays.

    The certificate is the one which the filing is about, or has issued. `when`: statuses in which it may be, all that
    hold by default; `to`: its status afterwards. `anew`: the validity is counted anew, from the old last day; else it
    stays as it is, unless the field `until` says otherwise. `untouched`: only while nothing is drawn or reserved.
    """

    kind: CertificateKind
    to: str | None = None
    when: Sequence[str] = ()
    anew: bool = False
    untouched: bool = False


@dataclass(frozen=True, slots=True)
class Turns:
    """A step gives a certificate another status (注销、暂停、恢复): otherwise as `Amends`."""

    kind: CertificateKind
    to: str
    when: Sequence[str] = ()
    untouched: bool = False


Outcome = Issues | Amends | Turns


@dataclass(frozen=True, slots=True)
class About:
    """What certificates a filing can be about: of that kind, in these statuses, all that hold by default.

    `copies`: fields of the certificate that a new filing has from the beginning. `expired`: also after its last day.
    """

    kind: CertificateKind
    when: Sequence[str] = ()
    copies: Sequence[str] = ()
    expired: bool = False
    place: str = field(default_factory=declared_at, compare=False, repr=False)


RESERVE, SETTLE, RELEASE, TAKE = "reserve", "settle", "release", "take"
Drawing = Literal["reserve", "settle", "release", "take"]
"""What a step does to counters: reserves (预占), settles what was reserved with what was found, releases it, or takes
at once."""


@dataclass(frozen=True, slots=True)
class Draws:
    """How filings draw on the counters of the certificate that they are about, which is in one of the statuses `when`.

    The rows of `group` name a line (counted from 1) and how much of each counter, by its name. A step that settles has
    such a group in its form; without one it settles all as asked.
    """

    quantities: Mapping[str, str]
    when: Sequence[str] = ()
    group: str = "lines"
    line: str = "line"
    message: str = "本次数量不能大于剩余数量"
    place: str = field(default_factory=declared_at, compare=False, repr=False)
