"""Fields (域) of a .docx: whether one is a DDE link, and what others load.

Their instructions may be cut into any number of runs.
"""

import re

from oletools.msodde import FIELD_DDE_REGEX, unquote

_LOADS = re.compile(r"\s*(?:INCLUDEPICTURE|INCLUDETEXT|INCLUDE|IMPORT)\s+(?:[\"“]([^\"”]*)|(\S+))", re.IGNORECASE)
_LONGEST = 4096
"""Characters of an instruction that are looked at; the word that says what it is comes first."""


class FieldReader:
    """Reads the elements of a part one after the other (fldSimple; fldChar with instrText between, nested)."""

    def __init__(self) -> None:
        self.found_dde = False
        self.loaded: set[str] = set()
        """Addresses of pictures and texts that fields include."""
        self._open: list[str] = []
        self._in_instruction = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        name = tag.rpartition(":")[2]
        if name == "fldSimple":
            self._check(_attribute(attributes, "instr"))
        elif name == "fldChar":
            kind = _attribute(attributes, "fldCharType")
            if kind == "begin":
                self._open.append("")
            elif self._open:
                self._check(self._open[-1])
                if kind == "end":
                    self._close()
        self._in_instruction = name in ("instrText", "delInstrText")

    def end(self, tag: str) -> None:
        """An element ends."""
        self._in_instruction = False

    def text(self, text: str) -> None:
        """Text of an element."""
        if self._in_instruction and self._open and len(self._open[-1]) < _LONGEST:
            self._open[-1] += text

    def _close(self) -> None:
        # What stands within another field becomes a part of its instruction.
        inner = unquote(self._open.pop())
        if self._open and len(self._open[-1]) < _LONGEST:
            self._open[-1] += inner

    def _check(self, instruction: str) -> None:
        # A trailing blank, because the library asks for one behind the word.
        plain = unquote(instruction).replace("\0", "") + " "
        self.found_dde |= FIELD_DDE_REGEX.match(plain) is not None
        loads = _LOADS.match(plain)
        if loads is not None:
            self.loaded.add(loads[1] if loads[1] is not None else loads[2])


def _attribute(attributes: dict[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == name), "")
