"""The documents say what the code does."""

import re
from pathlib import Path

import app  # noqa: F401 - every room declares its tables
from accounts.verbs import VERBS, Role
from core.db import Base
from enterprise.filings.declaring.drawings import page
from enterprise.systems import KINDS
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.workflows import REQUEST, WORKFLOWS

ROOT = Path(__file__).resolve().parent.parent


def test_the_table_of_roles_and_verbs_is_up_to_date() -> None:
    rows = [f"| `{role}` | {', '.join(f'`{verb}`' for verb in sorted(VERBS[role]))} |" for role in Role]
    table = "\n".join(row.replace("|  |", "| |") for row in rows)
    assert table in (ROOT / "docs" / "roles-and-verbs.md").read_text(), f"paste this:\n{table}"


def test_the_drawings_of_workflows_are_up_to_date() -> None:
    drawn = (ROOT / "docs" / "workflows.md").read_text()
    assert drawn == page(KINDS), "run ./manage filings draw"


def test_the_drawings_of_field_records_are_up_to_date() -> None:
    of_records, of_requests = (ROOT / "docs" / "field-records.md").read_text().split("## An application")
    for drawn, workflow in ((of_records, WORKFLOWS[CHECK]), (of_requests, REQUEST)):
        arrows = {f"{step.source or '[*]'} --> {step.target} : {step.action}" for step in workflow.steps.values()}
        assert {line.strip() for line in drawn.splitlines() if "-->" in line} == arrows
    of_spot_checks = {(source, action) for source, action in WORKFLOWS[CHECK].steps if action != "dispose"}
    assert of_spot_checks == WORKFLOWS[SPOT_CHECK].steps.keys()


def test_both_readmes_name_the_same_commands_and_pages() -> None:
    english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    for needed in (
        "make run",
        "make test",
        "docs/tour.md",
        "docs/architecture.md",
        "make help",
        "LICENSE",
        "docs/workflows.md",
        "docs/how-to/add-a-filing-kind.md",
        "S3_BUCKET",
        "CLAMD_ADDRESS",
        "DOCUMENT_CONVERTER",
        "ENTERPRISE_CAPTCHA",
    ):
        assert needed in english, needed
        assert needed in chinese, needed
    assert english.count("\n## ") == chinese.count("\n## ")


def test_the_data_model_names_every_table() -> None:
    page = (ROOT / "docs" / "data-model.md").read_text()
    assert [name for name in Base.metadata.tables if f"`{name}`" not in page] == []


def test_rules_stand_where_the_page_says() -> None:
    rows = [line.split("|")[1:-1] for line in (ROOT / "docs" / "rules.md").read_text().splitlines() if "`" in line]
    rows = [row for row in rows if len(row) == 4]
    assert len(rows) > 40
    for rule, _chinese, places, names in rows:
        paths = [ROOT / place for place in re.findall(r"`([^`]+)`", places)]
        files = [file for path in paths for file in ([path] if path.is_file() else path.glob("*.py"))]
        assert all(path.exists() for path in paths) and files, rule
        text = "\n".join(file.read_text() for file in files)
        named = re.findall(r"`([^`]+)`", names)
        assert named, rule
        for name in named:
            assert re.search(rf"^ *(?:def |class )?{name}\b", text, re.M), f"{rule}: {name}"
