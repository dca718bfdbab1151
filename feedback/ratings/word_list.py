"""Listed words (敏感词) and whatever else keeps a text from being shown before a person has read it (spec/b_rating §7).

Texts and words are compared in simplified characters, without blanks and punctuation, and by how they sound. What is
found here only waits for a person, so that a false alarm costs little.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from feedback.ratings.masking import mask


class _Installed:
    own: Path | None = None


def install(own: Path | None) -> None:
    """Name a further list of words (one a line, UTF-8) of this installation; raises OSError when it cannot be read."""
    if own is not None or _Installed.own is not None:  # a list of one's own may have changed; ours never does
        _words.cache_clear()
        _sounds.cache_clear()
    _Installed.own = own
    _words()


@cache
def _words() -> frozenset[str]:
    paths = [Path(__file__).with_name("words.txt"), *([_Installed.own] if _Installed.own else [])]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return frozenset({folded(line) for line in lines if line.strip() and not line.startswith("#")} - {""})


@cache
def _sounds() -> frozenset[tuple[str, ...]]:
    """How the words sound, by syllables without tones. Words of one character sound like too many others."""
    from pypinyin import lazy_pinyin

    return frozenset(tuple(lazy_pinyin(word)) for word in _words() if len(word) > 1 and not word.isascii())


def folded(text: str) -> str:
    """Simplified characters (繁体 to 简体), half width, small letters; letters and digits only."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _to_simplified("".join(character for character in plain if character.isalnum()))


def _to_simplified(text: str) -> str:
    return str(_converter().convert(text))


@cache
def _converter() -> Any:
    # Imported with its dictionaries when the first text is looked at.
    from opencc import OpenCC

    return OpenCC("t2s")


def holds_a_listed_word(text: str) -> bool:
    """Whether a word of the lists stands in the text, or what sounds like one."""
    plain = folded(text)
    return any(word in plain for word in _words()) or _sounds_like_a_word(plain)


def _sounds_like_a_word(plain: str) -> bool:
    return next(_sounding(plain), None) is not None


def _sounding(plain: str) -> Iterator[tuple[int, int]]:
    """Where something sounds like a listed word: first place and the one behind the last."""
    from pypinyin import Style, pinyin

    readings = [set(pinyin(character, style=Style.NORMAL, heteronym=True)[0]) for character in plain]
    for sound in _sounds():
        for start in range(len(readings) - len(sound) + 1):
            if all(syllable in readings[start + place] for place, syllable in enumerate(sound)):
                yield start, start + len(sound)


def parts_of(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is, or sounds like, a listed word: what a person looks at first."""
    marked = [False] * len(text)
    places: list[int] = []
    plain = ""
    for place, character in enumerate(text):
        for one in folded(character):
            plain += one
            places.append(place)
    for start, end in (*_spelled(plain), *_sounding(plain)):
        for place in range(places[start], places[end - 1] + 1):
            marked[place] = True
    pieces: list[tuple[str, bool]] = []
    for character, listed in zip(text, marked, strict=True):
        if pieces and pieces[-1][1] == listed:
            pieces[-1] = (pieces[-1][0] + character, listed)
        else:
            pieces.append((character, listed))
    return pieces


def _spelled(plain: str) -> Iterator[tuple[int, int]]:
    for word in _words():
        start = plain.find(word)
        while start >= 0:
            yield start, start + len(word)
            start = plain.find(word, start + 1)


# Digits in all their forms, and parts of characters, with which a listed word can be written without its characters.
_NUMBERS = re.compile(r"[0-9〇零一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖幺]{2,}|[0-9]")
_PARTS = frozenset("亻氵扌讠钅纟饣忄犭礻衤艹宀辶阝卩冖囗彳夂攵灬疒癶虍罒耂肀丨丶丿乚亅亠冂凵勹匚匸厶")
# A text that may identify somebody: a family name before a title, a name that is given, an address or account.
_PERSON = re.compile(
    r"[\u4e00-\u9fff](?:先生|女士|小姐|老师|师傅|主任|科长|处长|局长|所长|院长|站长|队长|股长|书记|经理|工|姐|哥|总)"
    r"|[\u4e00-\u9fff]某|姓[\u4e00-\u9fff]|叫[\u4e00-\u9fff]{2,3}|名字|工号|车牌|微信|扣扣|电话|手机|住址|地址"
)


def is_harmless(text: str) -> bool:
    """Whether a text may be shown unread: Chinese words and punctuation, no digits, letters, names, listed words."""
    if mask(text, "") != text or holds_a_listed_word(text):
        return False
    plain = folded(text)
    only_chinese = all("\u4e00" <= character <= "\u9fff" and character not in _PARTS for character in plain)
    readable = all(c in plain or not unicodedata.category(c).startswith(("S", "C")) for c in text if c not in "\n\t")
    return only_chinese and readable and not _NUMBERS.search(plain) and not _PERSON.search(plain)
