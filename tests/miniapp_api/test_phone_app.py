"""The phone's app under /app/: its files with the right headers, and a page that says why where it was not built."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from miniapp_api import phone_app

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build of two files, one of them with compressed copies; returns its folder."""
    folder = tmp_path / "build" / "h5"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>工品查</title>")
    (folder / "assets" / "index-1a2b.js").write_text("plain")
    (folder / "assets" / "index-1a2b.js.gz").write_bytes(b"gzip")
    (folder / "assets" / "index-1a2b.js.br").write_bytes(b"brotli")
    monkeypatch.setattr(phone_app, "APP", replace(phone_app.APP, built=folder))
    return folder


def test_the_start_page_is_asked_for_anew_each_time(client: FlaskClient, built: Path) -> None:
    answer = client.get("/app/")
    assert answer.status_code == 200 and "工品查" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/app/", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_files_whose_name_changes_with_their_content_are_kept_for_good(client: FlaskClient, built: Path) -> None:
    answer = client.get("/app/assets/index-1a2b.js")
    assert answer.get_data() == b"plain" and answer.mimetype == "text/javascript"
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("accepted", "sent"), [("gzip, br", b"brotli"), ("gzip", b"gzip"), ("deflate", b"plain"), ("br;q=0, gzip", b"gzip")]
)
def test_a_compressed_copy_goes_to_who_takes_it(client: FlaskClient, built: Path, accepted: str, sent: bytes) -> None:
    answer = client.get("/app/assets/index-1a2b.js", headers={"Accept-Encoding": accepted})
    assert answer.get_data() == sent and answer.mimetype == "text/javascript"
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_the_policy_allows_no_inline_script_no_eval_and_no_other_origin(client: FlaskClient, built: Path) -> None:
    for path in ("/app/", "/app/assets/index-1a2b.js"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy and "default-src 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy and "*" not in policy


@pytest.mark.parametrize("name", ["assets/none.js", "../why.txt", "%2e%2e/why.txt", "assets/", "assets", "/etc/passwd"])
def test_nothing_outside_the_build_is_served(client: FlaskClient, built: Path, name: str) -> None:
    (built.parent / "why.txt").write_text("not for the public")
    answer = client.get(f"/app/{name}", follow_redirects=True)
    assert answer.status_code == 404, answer.get_data()


def test_without_a_build_the_server_says_why(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_app, "APP", replace(phone_app.APP, built=tmp_path / "build" / "none"))
    answer = client.get("/app/")
    assert answer.status_code == 503 and "make client" in answer.get_data(as_text=True)
    (tmp_path / "why-not-built.txt").write_text("没有 Node.js <20>")
    assert "没有 Node.js &lt;20&gt;" in client.get("/app/").get_data(as_text=True)


def test_the_start_page_of_the_server_leads_people_to_the_app(client: FlaskClient) -> None:
    assert 'href="/app/"' in client.get("/").get_data(as_text=True)
