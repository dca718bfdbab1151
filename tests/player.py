"""Someone who plays a part over HTTP against a running server, and the account of each step."""

import json
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any


class Surprise(Exception):
    """A step went otherwise than the story has it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `json` is {} for anything else."""

    status: int
    content: bytes
    json: dict[str, Any]


@dataclass
class Player:
    """A part in the story. `does` makes a call and says what came of it."""

    name: str
    base: str
    token: str = ""

    def does(
        self, what: str, method: str, path: str, body: Any = None, *, expect: int = 200, code: str | None = None
    ) -> Answer:
        """Make a call; `expect` is the status and `code` the problem code that it must be answered with."""
        content = None if body is None else json.dumps(body).encode()
        return self._checked(what, self._send(method, path, content, "application/json"), expect, code)

    def uploads(self, what: str, content: bytes, name: str, purpose: str, *, expect: int = 201) -> str:
        """Upload a file; its id, or nothing where a refusal is expected."""
        boundary = uuid.uuid4().hex
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        sent = self._send("POST", "/files", body, f"multipart/form-data; boundary={boundary}")
        return str(self._checked(what, sent, expect, None).json.get("id", ""))

    def acts(
        self, what: str, filing: dict[str, Any], action: str, status: str | None = None, *, expect: int = 200,
        code: str | None = None, **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Take a step of a filing with the version that it was read with; `status` is where it must stand then."""
        path = f"/filings/{filing['id']}/actions/{action}"
        taken = self.does(what, "POST", path, {"version": filing["version"], **more}, expect=expect, code=code).json
        if status is not None:
            self.finds("status", taken["status"], status)
        return taken

    def finds(self, what: str, found: Any, wanted: Any) -> None:
        """What the story says that is found there."""
        if found != wanted:
            raise Surprise(f"{self.name}: {what} is {found!r}, not {wanted!r}")

    def _send(self, method: str, path: str, content: bytes | None, content_type: str) -> Answer:
        headers = {"Content-Type": content_type, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        request = urllib.request.Request(f"{self.base}/api/v1{path}", content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return _read(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refusal:
            return _read(refusal.code, refusal.headers, refusal.read())

    def _checked(self, what: str, answer: Answer, expect: int, code: str | None) -> Answer:
        as_told = answer.status == expect and (code is None or answer.json.get("code") == code)
        said = answer.json.get("status_label") or answer.json.get("code") or ""
        print(f"{'ok ' if as_told else '!! '} {self.name:<6} {what} -> {answer.status} {said}".rstrip(), flush=True)
        if not as_told:
            raise Surprise(f"{what}: expected {expect} {code or ''}, came {answer.content.decode(errors='replace')}")
        return answer


def _read(status: int, headers: Any, content: bytes) -> Answer:
    is_json = "json" in (headers.get("Content-Type") or "")
    return Answer(status, content, json.loads(content) if is_json else {})
