"""Masking (脱敏): personal numbers, e-mail addresses and the rater's own name in what others read (spec/b_rating §7).

Numbers are searched in a plain form of the text, in which every character that stands for digits (１, ①, ⑬, 壹, 幺) is
replaced by those digits. What is found there is masked at the same place of the text, which keeps its length.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

# What stands for a digit and is none for Unicode: round signs for 〇, and how digits are said on the telephone.
_SAID = {"○": "0", "◯": "0", "两": "2", "洞": "0", "拐": "7", "勾": "9"}

# Seven digits or more, close together: telephone, identity and account numbers.
_CLOSE = re.compile(r"[0-9](?:[\s.·_*/-]{0,2}[0-9]){6,}[Xx]?")
# Digits with whatever is no letter between them.
_WIDE = re.compile(r"[0-9](?:[\W_]{0,4}[0-9])+(?:[\W_]{0,4}[Xx])?")
_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12][0-9]|3[01])"
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_PERSONAL = tuple(
    re.compile(f"(?=({number}))")
    for number in (
        _MOBILE.pattern,
        rf"[1-9][0-9]{{5}}(?:19|20)[0-9]{{2}}{_MONTH}{_DAY}[0-9]{{3}}[0-9Xx]",  # resident identity, GB 11643
        rf"[1-9][0-9]{{7}}{_MONTH}{_DAY}[0-9]{{3}}(?![0-9])",  # the same before 1999
        r"0[1-9][0-9]{1,2}[2-8][0-9]{6,7}(?![0-9])",  # fixed telephones with their area
        r"62[0-9]{14,17}",  # bank cards
    )
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_SPELLED_EMAIL = re.compile(
    r"[A-Za-z0-9._%+-]+\s*[(\[{（【]?\s*(?:\bat\b|艾特|圈a|#)\s*[)\]}）】]?\s*[A-Za-z0-9-]+"
    r"\s*[(\[{（【]?\s*(?:\.|\bdot\b|点)\s*[)\]}）】]?\s*(?:com|cn|net|org)\b",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼港澳][A-Za-z][\s·•.-]?(?:[A-Za-z0-9]\s?){4,5}[A-Za-z0-9学警挂]"
)
_ACCOUNT = re.compile(
    r"(?:微信|薇信|威信|wechat|weixin|[vwＶ]x|qq|扣扣|抖音|快手|支付宝)\s*(?:号码?|id|群)?\s*(?:是|为|[:：=])?\s*([A-Za-z0-9][-_A-Za-z0-9]{4,29})",
    re.IGNORECASE,
)
"""Plates of cars (车牌), and what follows the name of a service as somebody's account (微信号)."""

_TIME_OF_DAY = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?"
_MONTH_AND_DAY = "|".join(rf"{part}(?:0?[1-9]|1[0-2]){part}(?:[12][0-9]|3[01]|0?[1-9])" for part in ("-", "/", r"\."))
_DATE = rf"(?:19|20)[0-9]{{2}}(?:{_MONTH_AND_DAY})(?![0-9])(?:[ T]?{_TIME_OF_DAY}(?![0-9]))?"
_READABLE = re.compile(
    r"(?<![0-9])(?:"
    rf"{_DATE}(?:\s?[-~—–]{{1,2}}\s?{_DATE})?"
    rf"|{_TIME_OF_DAY}(?![0-9])"
    r"|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,2})?(?![0-9])"
    r"|[0-9]{1,9}(?:\.[0-9]{1,2})?(?=\s?[元万亿块])"
    r")"
)
"""Dates, times and amounts: no personal number begins or ends within one."""
_HOTLINE_OR_YEAR = re.compile(r"(?:110|11[4279]|12[0-2]|12[0-9]{3}|95[0-9]{3}|(?:19|20)[0-9]{2})")


@cache
def _digits_of(character: str) -> str:
    if character in _SAID:
        return _SAID[character]
    value = unicodedata.numeric(character, -1)
    # Ten and more only as one sign (⑬): 十 and 百 are no digits of a number that is read out.
    most = 99 if unicodedata.category(character) == "No" else 9
    if 0 <= value <= most and value == int(value):
        return str(int(value))
    return unicodedata.normalize("NFKC", character) or character


def _plain(text: str) -> tuple[str, list[int]]:
    """The plain form, and for each of its characters the place in the text that it comes from."""
    parts = [_digits_of(character) for character in text]
    return "".join(parts), [place for place, part in enumerate(parts) for _ in part]


def _personal(plain: str, readable: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for run in _WIDE.finditer(plain):
        places = [place for place in range(*run.span()) if plain[place].isalnum() and plain[place] != "_"]
        digits = "".join(plain[place] for place in places)
        for pattern in _PERSONAL:
            for match in pattern.finditer(digits):
                start, end = places[match.start(1)], places[match.end(1) - 1] + 1
                if not any(first < start < last or first < end < last for first, last in readable):
                    yield start, end


def _close(plain: str, readable: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    rest = list(plain)
    for start, end in readable:
        rest[start:end] = "x" * (end - start)
    for match in _CLOSE.finditer("".join(rest)):
        if not all(_HOTLINE_OR_YEAR.fullmatch(part) for part in re.split(r"[^0-9]+", match[0])):
            yield match.span()


def _masked(text: str) -> list[str]:
    plain, places = _plain(text)
    characters = list(text)
    readable = [match.span() for match in _READABLE.finditer(plain)]
    written = [match.span() for one in (_EMAIL, _SPELLED_EMAIL, _PLATE) for match in one.finditer(plain)]
    accounts = [match.span(1) for match in _ACCOUNT.finditer(plain)]
    for start, end in (*_personal(plain, readable), *_close(plain, readable), *written, *accounts):
        first, last = places[start], places[end - 1] + 1
        characters[first:last] = "*" * (last - first)
    return characters


def mask(text: str, name: str) -> str:
    """The text with personal numbers, numbers of seven digits or more, plates, accounts, e-mail addresses and the
    rater's own name as `*`. Dates, times, amounts, years and hotlines stay, where no mobile can be read from them."""
    masked, own = "".join(_masked(text)), name.strip()
    return masked.replace(own, "*" * len(own)) if len(own) > 1 else masked
