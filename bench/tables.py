"""Tables on the terminal; Chinese characters count as two columns."""

import unicodedata
from collections.abc import Sequence
from statistics import median


def width(text: str) -> int:
    """Width of the text on a terminal, in columns."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with a title; the first column is aligned left, the others right."""
    widths = [max(width(row[place]) for row in (head, *rows)) for place in range(len(head))]
    print(f"\n{title}\n{'-' * max(width(title), sum(widths) + 2 * (len(widths) - 1))}")
    for row in (head, *rows):
        cells = [
            cell + " " * (wide - width(cell)) if place == 0 else " " * (wide - width(cell)) + cell
            for place, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def spread(values: Sequence[float]) -> str:
    """The median with minimum and maximum, for example `0.55 (0.52-0.57)`."""
    return f"{median(values):.2f} ({min(values):.2f}-{max(values):.2f})"
