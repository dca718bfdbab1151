"""Questions in words (文字题) whose answer is a number, for whoever cannot see a picture: a screen reader reads them.

A program answers them easily, so fewer tries are allowed than for pictures (`captcha_tries.py`).
"""

import secrets
from dataclasses import dataclass

from core.text import fold

_DIGITS = "零一二三四五六七八九"
_STORIES = (
    "窗口上午接待了{a}人，下午接待了{b}人，其中{c}人办的是变更登记，其余有多少人？",
    "书架上有{a}本书，又放上{b}本，借走{c}本，现在有多少本？",
    "车上有{a}位乘客，到站上来{b}位，下去{c}位，现在有多少位？",
    "仓库里有{a}箱货，运来{b}箱，运走{c}箱，还剩多少箱？",
    "小王有{a}元，妈妈给他{b}元，买笔用去{c}元，还剩多少元？",
    "{a}加上{b}，再减去{c}，等于多少？",
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the number that answers it."""

    text: str
    answer: int


def make() -> Question:
    """A sum of two steps; the answer lies between 11 and 97."""
    a, b, c = 10 + secrets.randbelow(41), 10 + secrets.randbelow(40), 2 + secrets.randbelow(8)
    story = secrets.choice(_STORIES)
    return Question(story.format(a=in_words(a), b=in_words(b), c=in_words(c)), a + b - c)


def in_words(number: int) -> str:
    """A number below 100 as it is spoken: 二十七."""
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


_SPOKEN = {in_words(number): str(number) for number in range(100)}


def number(typed: str) -> str:
    """An answer as digits, whether it was typed in digits or in words, with a unit or without."""
    text = fold(typed).rstrip("人本位箱元")
    return _SPOKEN.get(text, text)
