"""The documents say what the code does."""

from pathlib import Path

from accounts.verbs import VERBS, Role

ROOT = Path(__file__).resolve().parent.parent


def test_the_table_of_roles_and_verbs_is_up_to_date() -> None:
    rows = [f"| `{role}` | {', '.join(f'`{verb}`' for verb in sorted(VERBS[role]))} |" for role in Role]
    table = "\n".join(row.replace("|  |", "| |") for row in rows)
    assert table in (ROOT / "docs" / "roles-and-verbs.md").read_text(), f"paste this:\n{table}"


def test_both_readmes_name_the_same_commands_and_pages() -> None:
    english, chinese = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))
    for needed in ("make run", "make test", "docs/tour.md", "docs/architecture.md", "make help", "LICENSE"):
        assert needed in english, needed
        assert needed in chinese, needed
    assert english.count("\n## ") == chinese.count("\n## ")
