"""Which passwords can be guessed: common ones, and words of the place with a few signs around them, however written.

`Aa123456!`, `P@ssw0rd1`, `Gongpin@123` and `changzhou123` satisfy every rule of length and classes, and are what a
guesser tries first. So look-alikes are read as the letters that they stand for, signs and digits at the ends are
taken off, and what is left is looked for in kept lists (`word_lists/README.md`): passwords of leaks, and by pinyin
provinces and cities, the own region and office, the products and the person's own name.

A word in the middle of a long password is no reason: only what is nothing but such words and their trimmings is
refused, so that sentences (`correct horse battery`) will do.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from accounts.models import RegionLevel
from accounts.regions.loading import area_rows

_LISTS = Path(__file__).parent / "word_lists"
_FOREIGN = str.maketrans("аеорсухігαονıø", "aeopcyxiraovio")
"""Letters that are drawn as Latin ones, of Cyrillic and Greek for the most part."""
_LOOK_ALIKES = [str.maketrans("@48(3€690$57+21!|", f"aabceeggossttz{3 * bar}") for bar in "il"]
"""Signs and digits by the letters that they stand for; a stroke is an i or an l."""
_SHIFTED = str.maketrans("!@#$%^&*()", "1234567890")
"""Digits typed with the shift key, as keyboards of China have them."""

_SHORT = 4
"""Words with fewer letters stand in so much that they count only with digits that are guessed too."""
_TRIMMINGS = 6
"""So many digits and signs in all around a word are tried by whoever tries the word."""
_KINDS_OF_REGION = re.compile("(特别行政区|[^州盟旗]族自治[州县]|自治[区州县旗]|林区|地区|新区|[省市区县盟旗])$")


def is_guessed(password: str, names: Iterable[str] = ()) -> bool:
    """Whether a guesser tries the password early; `names`: those of the person and the office, Chinese or not."""
    typed = _plain(password)
    if any(variant in _common() for variant in _variants(typed)):
        return True
    own = {word for name in names for word in _words_of(name) if len(word) >= _SHORT}
    return _is_word_with_trimmings(_in_pinyin(typed), own)


def _plain(text: str) -> str:
    """One width, no capitals, no accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in apart if not unicodedata.combining(character)).translate(_FOREIGN)


def _variants(typed: str) -> Iterator[str]:
    """Ways in which a listed password may have been typed."""
    unblanked = re.sub(r"[\s_.-]+", "", typed)
    for variant in (typed, unblanked, unblanked.translate(_SHIFTED)):
        yield variant
        yield re.sub(r"^\W+|[\W_]+$", "", variant)


def _is_word_with_trimmings(typed: str, own: set[str]) -> bool:
    """Whether the password is a known word, or two of the place, with trimmings that are tried along."""
    return any(
        _is_known(_unrepeated(word), own)
        and (
            (not within and all(_is_a_guessed_number(digits) for digits in re.findall(r"\d+", f"{before} {after}")))
            or (len(word) >= _SHORT and len(before) + within + len(after) <= _TRIMMINGS)
        )
        for before, middle, after in _parted(typed)
        for word, within in _read(middle)
    )


def _is_known(word: str, own: set[str]) -> bool:
    return word in _words() or word in own or _is_two_of_the_place(word, own)


def _read(middle: str) -> Iterator[tuple[str, int]]:
    """The letters that a part stands for, and how many signs in it stand for none; blanks and dashes are nothing."""
    for look_alikes in _LOOK_ALIKES:
        variant = re.sub(r"[\s_.-]+", "", middle).translate(look_alikes)
        letters = re.sub("[^a-z]", "", variant)
        yield letters, len(variant) - len(letters)


def _parted(typed: str) -> set[tuple[str, str, str]]:
    """The password as what stands before the letters, the middle, and what stands behind them.

    A look-alike may be its first or last letter (`$hanghai`), so the sign at each end belongs to the one or the other.
    """
    first = re.match(r"[\W\d_]*", typed)
    last = re.search(r"[\W\d_]*$", typed)
    assert first is not None and last is not None
    begin, end = first.end(), max(last.start(), first.end())
    return {
        (typed[: begin - more], typed[begin - more : end + less], typed[end + less :])
        for more in (0, 1) if more <= begin
        for less in (0, 1) if end + less <= len(typed)
    }  # fmt: skip


def _unrepeated(letters: str) -> str:
    """`gongpingongpin` → `gongpin`."""
    found = re.fullmatch(r"(.{4,}?)\1+", letters)
    return found[1] if found else letters


def _is_two_of_the_place(word: str, own: set[str]) -> bool:
    place = own | _of_the_place()
    return any(word[:at] in place and word[at:] in place for at in range(_SHORT, len(word) - _SHORT + 1))


def _is_a_guessed_number(digits: str) -> bool:
    """Short, counted up or down, repeated, a date, or itself a common password."""
    steps = {int(later) - int(earlier) for earlier, later in pairwise(digits)}
    return (
        len(digits) <= 3
        or digits in _common()
        or len(steps) <= 1
        or re.fullmatch(r"(\d{1,4}?)\1+", digits) is not None
        or re.fullmatch(r"(19|20)\d\d((0\d|1[0-2])([0-3]\d)?)?", digits) is not None
        or re.fullmatch(r"\d\d(0\d|1[0-2])[0-3]\d", digits) is not None
    )


@cache
def _common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"]) | frozenset(_lines("common_in_china.txt"))


@cache
def _words() -> frozenset[str]:
    """The words of common passwords without their trimmings, and those of the place."""
    bare = (re.sub(r"^[\W\d_]+|[\W\d_]+$", "", one) for one in _common())
    return frozenset(word for one in bare for word, _ in _read(one) if word) | _of_the_place()


@cache
def _of_the_place() -> frozenset[str]:
    """Pinyin of provinces and cities, and of office, product and trade; of counties only the own one counts."""
    regions = (row.name for row in area_rows() if row.level != RegionLevel.COUNTY)
    names = [*_lines("of_the_office.txt"), *regions]
    return frozenset(word for name in names for word in _words_of(name) if len(word) >= _SHORT)


def _words_of(name: str) -> set[str]:
    """A name as letters a to z, with and without what kind of region it is."""
    shorter = _KINDS_OF_REGION.sub("", name)
    typed = (_in_pinyin(_plain(one)) for one in (name, shorter if len(shorter) > 1 else name))
    return {re.sub("[^a-z]", "", one) for one in typed} - {""}


def _in_pinyin(text: str) -> str:
    """Chinese characters by their sound without tones (`lü` as `lv`, as it is typed); all else as it is."""
    if text.isascii():
        return text
    # Here and not above: passwords are set rarely, and its tables cost every start.
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(text))


def _lines(name: str) -> Iterator[str]:
    for line in (_LISTS / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line
