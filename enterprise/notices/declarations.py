"""The systems (系统) that have notices: declared, so that a system adds its own by a line."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.verbs import Verb
from core.errors import Problem, invalid


@dataclass(frozen=True, slots=True)
class NoticeSystem:
    """A system with notices; whoever holds `verb` writes those of the own office."""

    code: str
    title: str
    verb: Verb


class NoticeSystems(dict[str, NoticeSystem]):
    """All of them by code."""

    def __init__(self, declared: Iterable[NoticeSystem]) -> None:
        """Raises ValueError for a code that stands twice."""
        declared = tuple(declared)
        super().__init__({one.code: one for one in declared})
        if len(self) != len(declared):
            raise ValueError("a system with notices is declared twice")

    def known(self, code: str, path: str = "/system") -> NoticeSystem:
        """The system of a code; 422 where there is none."""
        found = self.get(code)
        if found is None:
            raise invalid(path, "unknown_system", f"没有这个系统，可选：{'、'.join(self)}")
        return found

    def writable_by(self, verbs: frozenset[str]) -> list[NoticeSystem]:
        """The systems whose notices somebody with these verbs writes."""
        return [one for one in self.values() if one.verb in verbs]

    def writable(self, code: str, verbs: frozenset[str]) -> NoticeSystem:
        """The system of a code, for who may write its notices; 403 for others."""
        found = self.known(code)
        if found.verb not in verbs:
            raise Problem("forbidden", f"“{found.title}”的公告由该系统的工作人员发布")
        return found
