"""A witness (见证): each step of a record notes a keyed digest of columns that give somebody rights.

The content of a record stands in its history anyway. Of a password's hash nothing may stand there that helps to guess
the password: a digest by the key of the history tells nothing, and shows a hash that was put into the table.
"""

from collections.abc import Callable, Mapping
from typing import Any

from core.workflows import digests


class Witness:
    """`name` is that of the digest in the payload of a step.

    `versions` are the columns that were witnessed, the first first: a digest names its version, so that columns can be
    added, by another version behind those that there are. `clear` opens what is sealed among their values: a digest is
    of clear values, so that sealing anew changes none.
    """

    def __init__(
        self,
        name: str,
        *versions: tuple[str, ...],
        clear: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda values: values,
    ) -> None:
        self.name = name
        self._versions = versions
        self._clear = clear

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a digest covers which is made now."""
        return self._versions[-1]

    def digest(self, values: Mapping[str, Any]) -> str:
        """Of the values of a record by column; what is not among them counts as empty."""
        number = len(self._versions)
        key_id, digest = digests.digest_of(self.name, self._parts(number, values))
        return f"{number}:{key_id}:{digest.hex()}"

    def fits(self, recorded: Any, values: Mapping[str, Any]) -> bool:
        """Whether a recorded digest is that of the values."""
        number, _, rest = str(recorded).partition(":")
        key_id, _, digest = rest.partition(":")
        if not number.isdecimal() or not 1 <= int(number) <= len(self._versions):
            return False
        try:
            return digests.fits(self.name, self._parts(int(number), values), key_id, bytes.fromhex(digest))
        except ValueError:
            return False

    def _parts(self, number: int, values: Mapping[str, Any]) -> list[Any]:
        clear = self._clear(values)
        return [number, [clear.get(name) for name in self._versions[number - 1]]]
