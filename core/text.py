"""Text that people type: cleaned once when it comes in, whatever the way, and folded where it is compared.

Cleaned text is what is stored and shown. Folded text is only compared: it is equal for all ways of
writing one name. Passwords are neither: every character that was typed belongs to them.
"""

import re
import unicodedata

from core.errors import invalid

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Controls; category Cf (format characters: joiners, marks of direction, tags); what else is by its nature not drawn;
# halves of characters and what is no character. Written out, because asking the tables takes a tenth of a second.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u17b4\u17b5\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
# Letters and symbols that are drawn as a blank: the fillers of Korean, the empty pattern of Braille.
_FILLERS = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
# A variation selector says which form of an ideograph a person's name has (IVS), or that a symbol is an emoji.
_STRAY_SELECTOR = re.compile(
    "(?<![#*0-9\xa9\xae\u203c-\u2bff\u3007\u303d\u3297\u3299\u3400-\u9fff\uf900-\ufaff\U0001f000-\U0001faff"
    f"\U00020000-\U0003ffff])[{_SELECTORS}]"
)
_ODD = re.compile("[^ -~\u3001-\u303f\u4e00-\u9fff\uff01-\uff5e]")
# Each begins where its run of blanks begins: tried from every blank on, time would grow with the square of the run.
_BEFORE_LINE_END = re.compile(r"(?<![^\S\n])[^\S\n]+\n")
_BREAK = re.compile(r"(?<!\s)\s*[\n\t]\s*")

# Category Pd, and what is typed in its place: minus, box drawing, the long mark of Japanese.
_DASHES = re.compile("[-\u058a\u05be\u1400\u1806\u2010-\u2015\u2212\u2500\u2501\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d"
                     "\u301c\u3030\u30a0\u30fc\U00010ead]+")  # fmt: skip
_NAME_DOTS = re.compile("[\u2022\u2027\u2219\u22c5\u30fb\uff0e\uff65]")
_DOTS = re.compile("[\xb7\u2022\u2027\u2219\u22c5\u30fb]")
_SELECTOR = re.compile(f"[{_SELECTORS}]")


def clean(text: str) -> str:
    r"""Text of several lines as it is stored; "" where nothing is left.

    NFC; line ends are `\n`; control and invisible characters are gone, what is drawn as a blank is one; no blanks at
    its ends nor at the ends of lines.
    """
    if not _ODD.search(text):
        return text.strip(" ")
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    text = _STRAY_SELECTOR.sub("", _FILLERS.sub(" ", text))
    return _BEFORE_LINE_END.sub("\n", unicodedata.normalize("NFC", text)).strip()


def clean_line(text: str) -> str:
    """The same on one line: breaks and tabs become a blank."""
    text = clean(text)
    return _BREAK.sub(" ", text) if "\n" in text or "\t" in text else text


def clean_person(text: str) -> str:
    """A person's name on one line; the dot within it, as in 阿里·买买提, is U+00B7 however it was typed."""
    return _NAME_DOTS.sub("\xb7", clean_line(text))


def fold(text: str) -> str:
    """The form in which names and numbers are compared.

    NFKC (so full width is half), no case, no blanks, nothing invisible, no variants of ideographs, every run of dashes
    one hyphen, every dot in the middle a full stop.
    """
    if text.isascii() and text.isalnum():
        return text.lower()
    text = _SELECTOR.sub("", _FILLERS.sub(" ", _INVISIBLE.sub("", text)))
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    # Marks compose with what blanks have parted from them.
    text = unicodedata.normalize("NFC", "".join(_FILLERS.sub("", text).split()))
    return _DOTS.sub(".", _DASHES.sub("-", text))


def fold_to_fit(text: str, limit: int = 100) -> str:
    """The folded text as far as its column holds it: some characters become several (㍿ → 株式会社)."""
    return fold(text)[:limit]


def has_words(text: str) -> bool:
    """Whether cleaned text says anything: a letter, an ideograph or a digit (also as ㈱), not marks alone."""
    return any(character.isalnum() for character in unicodedata.normalize("NFKC", text))


MEANINGLESS = "只有标点或符号，请用文字写明"


def demanded(sent: str | None, path: str, missing: str) -> str:
    """Text that somebody must give, cleaned. Raises 422 `required` with the sentence `missing`, or `meaningless`."""
    text = clean(sent or "")
    if not text:
        raise invalid(path, "required", missing)
    if not has_words(text):
        raise invalid(path, "meaningless", MEANINGLESS)
    return text
