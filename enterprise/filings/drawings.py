"""Drawings of workflows (Mermaid), made from the declarations."""

from collections.abc import Iterable

from core.workflows.workflow import BACK, SYSTEM
from enterprise.filings.kinds import ENTERPRISE, OFFICE, FilingKind

_WHO = {ENTERPRISE: "企业", OFFICE: "局方", SYSTEM: "系统"}


def drawing(kind: FilingKind) -> str:
    """One workflow as a Mermaid state diagram, labels in Chinese."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{label}" as {status}' for status, label in kind.statuses.items()]
    for step in kind.steps:
        asked = sorted({s.source for s in kind.steps if s.asks_back and s.source})
        for target in asked if step.target == BACK else [step.target]:
            lines.append(f"    {step.source or '[*]'} --> {target} : {step.label}（{_WHO[step.who]}）")
    lines += [f"    {status} --> [*]" for status in kind.statuses if status in kind.final]
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
