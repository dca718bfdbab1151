"""Drawings of workflows (Mermaid), made from the declarations."""

from collections.abc import Iterable

from enterprise.filings.declaring.declarations import BACK
from enterprise.filings.declaring.kinds import FilingKind


def drawing(kind: FilingKind) -> str:
    """One workflow as a Mermaid state diagram, labels in Chinese."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{label}" as {status}' for status, label in kind.labels.items()]
    for step in kind.steps:
        asked = sorted({s.source for s in kind.steps if s.asks_back and s.source})
        who = "、".join(taker.label for taker in step.takers)
        for target in asked if step.target == BACK else [step.target]:
            lines.append(f"    {step.source or '[*]'} --> {target} : {step.label}（{who}）")
    lines += [f"    {status} --> [*]" for status in kind.labels if status in kind.final]
    return "\n".join(lines)


def page(kinds: Iterable[FilingKind]) -> str:
    """The page `docs/workflows.md`."""
    parts = [
        "# Workflows of filings (办件)",
        "",
        "Made from the declarations by `./manage filings draw`; a test compares this page with them.",
    ]
    for kind in kinds:
        rateable = " · rateable (好差评)" if kind.rateable else ""
        parts += ["", f"## {kind.title} (`{kind.code}`){rateable}", "", "```mermaid", drawing(kind), "```"]
    return "\n".join(parts) + "\n"
