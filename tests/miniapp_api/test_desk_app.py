"""The desk's app under /desk/: each of its pages opens by its own address, files have the right headers."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from miniapp_api import desk_app

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "build" / "desk"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>工品查</title>")
    (folder / "assets" / "index-1a2b.js").write_text("plain")
    monkeypatch.setattr(desk_app, "APP", replace(desk_app.APP, built=folder))
    return folder


def test_every_page_of_the_app_opens_by_its_address(client: FlaskClient, built: Path) -> None:
    for path in ("/desk/", "/desk/filings?kind=declaration", "/desk/filings/7fd49eaf-8275-5d88-91ec-ea1ae006f1ef"):
        answer = client.get(path)
        assert answer.status_code == 200 and "工品查" in answer.get_data(as_text=True), path
        assert answer.headers["Cache-Control"] == "no-cache"


def test_files_are_served_under_the_policy_and_nothing_else_is(client: FlaskClient, built: Path) -> None:
    answer = client.get("/desk/assets/index-1a2b.js")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.get_data() == b"plain" and "immutable" in answer.headers["Cache-Control"]
    assert "script-src 'self';" in policy and "unsafe" not in policy and "http" not in policy and "*" not in policy
    (built.parent / "why.txt").write_text("not for the public")
    for name in ("assets/none.js", "%2e%2e/why.txt", "../why.txt"):
        assert client.get(f"/desk/{name}").status_code == 404, name


def test_without_a_build_the_server_says_why(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_app, "APP", replace(desk_app.APP, built=tmp_path / "build" / "none"))
    (tmp_path / "why-not-built.txt").write_text("没有 Node.js <20>")
    for path in ("/desk/", "/desk/filings"):
        answer = client.get(path)
        assert answer.status_code == 503 and "没有 Node.js &lt;20&gt;" in answer.get_data(as_text=True)
