"""Publishing form files: one way for the start of the server and for the command line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.forms.definition_files import UnreadableForm, in_order, read_definition
from core.forms.form import BrokenForm
from core.forms.library import FormLibrary, FrozenForm


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a form: published (`new`), there already, or refused with Chinese sentences (`faults`)."""

    name: str
    title: str = ""
    new: bool = False
    faults: tuple[str, ...] = ()


def publish_files(library: FormLibrary, paths: Iterable[Path]) -> Iterator[Outcome]:
    """Publish form files, older versions first; one that cannot be used does not keep the others back."""
    definitions = []
    for path in sorted(paths):
        try:
            definitions.append((path, read_definition(path)))
        except UnreadableForm as error:
            yield Outcome(path.name, faults=(str(error),))
    for path, definition in in_order(definitions):
        yield publish_definition(library, definition, path.name)


def publish_definition(library: FormLibrary, definition: dict[str, Any], name: str) -> Outcome:
    """Publish one definition; `name` is the file's, for the faults."""
    try:
        new = library.publish(definition)
    except BrokenForm as broken:
        return Outcome(name, faults=tuple(f"{name}: {fault.path or '/'}: {fault.message}" for fault in broken.faults))
    except FrozenForm:
        message = "该版本已发布且内容不同；已发布的版本不能改动，请把 version 加 1 后再发布"
        return Outcome(name, faults=(f"{name}: {message}",))
    return Outcome(name, f"{definition['code']} 第 {definition['version']} 版", new)
