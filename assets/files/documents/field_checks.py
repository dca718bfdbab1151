"""Fields (域) of a .docx: whether one is a DDE link, and which addresses others load.

The instruction of a field may be split over any number of runs.
"""

import re

from oletools.msodde import FIELD_DDE_REGEX, unquote

_LOADS = re.compile(r"\s*(?:INCLUDEPICTURE|INCLUDETEXT|INCLUDE|IMPORT)\s+(?:[\"“]([^\"”]*)|(\S+))", re.IGNORECASE)
_LONGEST = 4096
"""Characters of an instruction that are read; its keyword comes first."""


class FieldReader:
    """Collects fields from the elements of a part in order: fldSimple, and nested fldChar with instrText between."""

    def __init__(self) -> None:
        self.found_dde = False
        self.loaded: set[str] = set()
        """Addresses of pictures and texts that fields include."""
        self._open: list[str] = []
        self._in_instruction = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
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
        """Handle the end of an element."""
        self._in_instruction = False

    def text(self, text: str) -> None:
        """Handle text within an element."""
        if self._in_instruction and self._open and len(self._open[-1]) < _LONGEST:
            self._open[-1] += text

    def _close(self) -> None:
        # The result of a nested field is part of the outer field's instruction.
        inner = unquote(self._open.pop())
        if self._open and len(self._open[-1]) < _LONGEST:
            self._open[-1] += inner

    def _check(self, instruction: str) -> None:
        # The pattern of the library requires a blank behind the keyword.
        plain = unquote(instruction).replace("\0", "") + " "
        self.found_dde |= FIELD_DDE_REGEX.match(plain) is not None
        loads = _LOADS.match(plain)
        if loads is not None:
            self.loaded.add(loads[1] if loads[1] is not None else loads[2])


def _attribute(attributes: dict[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if key.rpartition(":")[2] == name), "")
