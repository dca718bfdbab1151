"""Papers (纸质文书): a template, its data and pictures, printed as PDF; and a bureau's own templates in place of ours.

A paper's template imports `parts.typ` of the folder `shared/`, which says what the data holds.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from assets.paper import compiling
from assets.paper.compiling import CompilingFailed

log = structlog.get_logger()

SHARED = Path(__file__).resolve().parent / "shared"
"""What the templates of all rooms import."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that is ready to be printed. `pictures`: keys of the storage, by the file names that the data uses."""

    number: str
    template: Path
    data: Mapping[str, Any]
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Press:
    """Prints papers. `own`: the folder of a bureau's own templates, each named as the one whose place it takes;
    `read` gives what the storage has under a key."""

    own: Path
    read: Callable[[str], bytes]

    def pdf(self, paper: Paper) -> bytes:
        """The paper as PDF, by the bureau's own template where there is one that can be printed.

        Raises as `compiling.compile` does.
        """
        pictures = {name: self.read(key) for name, key in paper.pictures.items()}
        own = self.own / paper.template.name
        if own.is_file():
            try:
                return compiling.compile(own, paper.data, "pdf", pictures, self._beside(paper.template.parent, own))
            except CompilingFailed as error:
                log.error("own_template_broken", template=str(own), reason=str(error), mend="./manage papers check")
        return compiling.compile(paper.template, paper.data, "pdf", pictures, self._beside(paper.template.parent))

    def _beside(self, *places: Path) -> list[Path]:
        """The templates that another one may import; of two with one name the later holds."""
        folders: Iterable[Path] = (place if place.is_dir() else place.parent for place in places)
        return [path for folder in (SHARED, *folders) for path in sorted(folder.glob("*.typ"))]
