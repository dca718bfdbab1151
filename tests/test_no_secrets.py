"""No secret stands in the repository. `.secrets.baseline` lists what looks like one and is none.

To accept a new finding: `.venv/bin/detect-secrets scan --baseline .secrets.baseline`, and look at the change.
"""

import json
import subprocess
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / ".secrets.baseline"
# Hashes of packages are no secrets.
LOCK_FILES = {"requirements.txt", "requirements-dev.txt", "package-lock.json", ".secrets.baseline"}


def repository_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    return [name for name in names if Path(name).name not in LOCK_FILES]


def findings(root: Path, names: list[str]) -> set[tuple[str, str]]:
    """File and hash of everything that looks like a secret; where in the file it stands may change."""
    baseline = json.loads(BASELINE.read_text())
    with transient_settings({key: baseline[key] for key in ("plugins_used", "filters_used")}):
        collection = SecretsCollection(root=str(root))
        for name in names:
            collection.scan_file(name)
        return {(name, secret.secret_hash) for name, secret in collection}


@pytest.mark.in_make_check
def test_nothing_in_the_repository_looks_like_a_new_secret() -> None:
    known = {
        (name, secret["hashed_secret"])
        for name, secrets in json.loads(BASELINE.read_text())["results"].items()
        for secret in secrets
    }
    new = {name for name, _ in findings(ROOT, repository_files()) - known}
    assert sorted(new) == [], "see the docstring of this file"


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    # Put together here, so that this file does not hold what looks like a secret.
    key = "AKIA" + "IOSFODNN7" + "EXAMPLQ"
    (tmp_path / "settings.py").write_text(f"aws_key = '{key}'\n")
    assert {name for name, _ in findings(tmp_path, ["settings.py"])} == {"settings.py"}
