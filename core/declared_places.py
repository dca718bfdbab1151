"""Where a declaration was written, so that a broken one can be found: file and line."""

import dataclasses
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PASSED_OVER = {__file__, "<string>", dataclasses.__file__}


def passes_over(*files: str) -> None:
    """Name modules that only say what declarations are made of."""
    _PASSED_OVER.update(files)


def declared_at() -> str:
    """File and line of the declaration that is being made: the nearest caller outside those modules."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename in _PASSED_OVER:
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    shown = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path
    return f"{shown}:{frame.f_lineno}"
