"""Identifiers that people type (codes of organisations and persons, telephone numbers, addresses) or programs send.

`normalise_…` brings what was typed into the form that is stored and compared; `is_…` and
`uscc_fault` normalise first. `spec/common.md` §5 gives the rules and the standards.
"""

import functools
import re
from datetime import date
from typing import Any
from uuid import UUID

from stdnum.cn import ric, uscc

from core import clock
from core.text import fold

# GB 32100. python-stdnum's own pattern wants digits in the first two places and so refuses the
# codes of rural organisations (N…) and others (Y…).
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_USCC_CHARACTERS = re.compile(r"[0-9A-HJ-NPQRTUWXY]*")

_ORG_CODE = re.compile(r"[0-9A-Z]{8}[0-9X]")
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")
_RESIDENT_ID_15 = re.compile(r"[0-9]{15}")
# The provinces, and 83: the residence permit (居住证) of people from Taiwan begins 830000, those from
# Hong Kong and Macao 810000 and 820000. The county behind the prefix is not looked up, because
# abolished codes stay on cards.
_RESIDENT_PREFIXES = frozenset(
    str(prefix)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 66), (71, 71), (81, 83))
    for prefix in range(first, last + 1)
)

# spec/common §5.7: a licence of a province has its short name in front.
_LICENCE_NO = re.compile(r"([\u4e00-\u9fa5])?XK([0-9]{2})-?([0-9]{3})-?([0-9]{5})")
_TO_ROUND = str.maketrans("[{〔【〈]}〕】〉", "((((()))))")
_BRACKETS = re.compile(r"[()\[\]{}〔〕【】〈〉]")

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LONGEST_TYPED_MOBILE = 40
_MOBILE_MARKS = re.compile(r"[().·]+")
_COUNTRY_PREFIX = re.compile(r"^(?:(?:\+|00)?86)+(?=1[0-9]{10}$)")  # twice where a phone adds it to one that has it
_LANDLINE = re.compile(r"(?:0[0-9]{2,3}-?)?[0-9]{7,8}(?:-[0-9]{1,6})?")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_POSTCODE = re.compile(r"[0-9]{6}")


def as_uuid(value: Any) -> UUID | None:
    """The id that a text writes out; None for any other text or value."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _compact(text: str) -> str:
    if text.isascii() and text.isalnum():  # as most of them come, and come again
        return text.upper()
    return fold(text).replace("-", "").upper()


def normalise_uscc(text: str) -> str:
    """A unified social credit code (统一社会信用代码) as stored: half-width, upper case, no separators."""
    return _compact(text)


def uscc_fault(text: str) -> str | None:
    """What is wrong with a unified social credit code (GB 32100), as a Chinese sentence, or None."""
    return _uscc_fault(normalise_uscc(text))


# One code is checked several times in a request: when it is read, when it is submitted, for its warnings.
@functools.lru_cache(maxsize=2048)
def _uscc_fault(code: str) -> str | None:
    if not code:
        return "请填写统一社会信用代码"
    if len(code) != 18:
        return f"统一社会信用代码不正确：应为18位，现为{len(code)}位，请核对"
    if not _USCC_CHARACTERS.fullmatch(code):
        return "统一社会信用代码不正确：只能含数字和大写字母，且不使用字母 I、O、S、V、Z，请核对"
    if not _USCC.fullmatch(code):
        return "统一社会信用代码不正确：第3至8位应为数字，请核对"
    if uscc.calc_check_digit(code[:17]) != code[17]:
        return "统一社会信用代码不正确：校验位不符，请逐位核对"
    return None


def uscc_warnings(text: str) -> list[str]:
    """Doubts about a valid code that never block it: places 9 to 17 should be an organisation code.

    Some codes carried over from older registers fail this.
    """
    if _holds_org_code(normalise_uscc(text)):
        return []
    return ["统一社会信用代码第9至17位不符合组织机构代码校验规则，请核对营业执照"]


@functools.lru_cache(maxsize=2048)
def _holds_org_code(code: str) -> bool:
    """True also of what is no code at all, because that is a fault already."""
    return _uscc_fault(code) is not None or is_org_code(code[8:17])


def make_uscc(body17: str) -> str:
    """Append the check character to the first 17 places; ValueError when these cannot begin a code."""
    body = normalise_uscc(body17)
    if not _USCC.fullmatch(body + "0"):
        raise ValueError("not the first 17 places of a unified social credit code")
    return body + uscc.calc_check_digit(body)


def normalise_org_code(text: str) -> str:
    """An organisation code (组织机构代码) as printed: `12345678-8`; another length only cleaned."""
    code = _compact(text)
    return f"{code[:8]}-{code[8:]}" if len(code) == 9 else code


def is_org_code(text: str) -> bool:
    """Whether this is an organisation code (GB 11714), written with or without the hyphen."""
    code = _compact(text)
    if not _ORG_CODE.fullmatch(code):
        return False
    total = sum(int(character, 36) * weight for character, weight in zip(code, _ORG_WEIGHTS, strict=False))
    return code[8] == "0123456789X"[(11 - total % 11) % 11]


def normalise_resident_id(text: str) -> str:
    """A resident identity number (公民身份号码) as stored: half-width, `X` in upper case, no separators."""
    return _compact(text)


def widen_resident_id(text: str) -> str:
    """The number of 18 places for an old one of 15 (births of the 1900s); any other text only normalised."""
    number = normalise_resident_id(text)
    if not _RESIDENT_ID_15.fullmatch(number):
        return number
    body = f"{number[:6]}19{number[6:]}"
    return body + ric.calc_check_digit(body + "0")


def is_resident_id(text: str, *, allow_15: bool = False, today: date | None = None) -> bool:
    """Whether this is a resident identity number (GB 11643) or the number of a residence permit.

    Wants a known province, a real date of birth from 1900 to `today` and the right check character.
    """
    number = widen_resident_id(text) if allow_15 else normalise_resident_id(text)
    if not _RESIDENT_ID.fullmatch(number) or number[:2] not in _RESIDENT_PREFIXES:
        return False
    try:
        birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return date(1900, 1, 1) <= birth <= (today or clock.today()) and ric.calc_check_digit(number) == number[17]


def normalise_licence_no(text: str) -> str | None:
    """A production licence number (生产许可证编号) as stored, `(苏)XK06-001-00001`; None for what is none.

    Brackets may be missing or of any kind, dashes too.
    """
    found = _LICENCE_NO.fullmatch(_BRACKETS.sub("", fold(text)).upper())
    if found is None:
        return None
    province, *groups = found.groups()
    return (f"({province})" if province else "") + "XK" + "-".join(groups)


def normalise_certificate_no(text: str) -> str:
    """The number of a licence or certificate (许可证、CCC证书编号) of whatever kind, as stored and compared.

    Half-width, upper case, without blanks, with plain hyphens and round brackets, so `（苏）xk…` is `(苏)XK…`. Nothing
    is added: a number that was written wrongly is corrected by who wrote it.
    """
    return fold(text).upper().translate(_TO_ROUND)


def normalise_mobile(text: str) -> str:
    """A mainland mobile number as stored and compared: half-width, no separators, brackets or dots, no `+86`."""
    if _MOBILE.fullmatch(text):
        return text
    return _COUNTRY_PREFIX.sub("", _MOBILE_MARKS.sub("", _compact(text)), count=1)


def is_mobile(text: str) -> bool:
    """Whether this is a mainland mobile number. Sub-ranges are not listed: new ones open every year."""
    return _MOBILE.fullmatch(normalise_mobile(text)) is not None


def sent_mobile(sent: object) -> str | None:
    """A mobile number that somebody sent, as it is stored and compared; None for everything that is none."""
    if not isinstance(sent, str) or len(sent) > _LONGEST_TYPED_MOBILE:
        return None
    number = normalise_mobile(sent)
    return number if _MOBILE.fullmatch(number) else None


def is_landline(text: str) -> bool:
    """Whether this is a fixed-line number: area code and extension may be missing."""
    return _LANDLINE.fullmatch(fold(text)) is not None


def is_email(text: str) -> bool:
    """Whether this can be an e-mail address of at most 100 characters; ASCII, so that any server takes it."""
    return len(text) <= 100 and _EMAIL.fullmatch(text) is not None


def is_postcode(text: str) -> bool:
    """Whether this is a postcode (邮政编码) of six digits."""
    return _POSTCODE.fullmatch(text) is not None
