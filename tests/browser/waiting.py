"""Drafts and records that wait on a phone (待发送), written into the app's own database as the app keeps them."""

import base64
import hashlib
import time
from io import BytesIO
from typing import Any
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Page

from tests.browser.app import Bureau
from tests.people import new_id

_WRITE = """async ({values, files}) => {
  const opened = indexedDB.open('gongpin', 1)
  opened.onupgradeneeded = () => ['values', 'files', 'sizes'].forEach((name) => opened.result.createObjectStore(name))
  const database = await new Promise((done, failed) => {
    opened.onsuccess = () => done(opened.result)
    opened.onerror = () => failed(opened.error)
  })
  const work = database.transaction(['values', 'files', 'sizes'], 'readwrite')
  for (const [key, value] of values) work.objectStore('values').put(value, key)
  for (const [id, text] of files) {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0))
    work.objectStore('files').put(bytes, id)
    work.objectStore('sizes').put(bytes.byteLength, id)
  }
  await new Promise((done, failed) => {
    work.oncomplete = done
    work.onerror = () => failed(work.error)
  })
  database.close()
}"""
# A page that has not opened its database yet makes it itself: who only reads must not leave an empty one behind.
_OPEN_TO_READ = """
  const opened = indexedDB.open('gongpin', 1)
  opened.onupgradeneeded = () => opened.transaction.abort()
  const database = await new Promise((done) => {
    opened.onsuccess = () => done(opened.result)
    opened.onerror = () => done(null)
  })
  if (database === null) return []
"""
_READ = f"""async (prefix) => {{{_OPEN_TO_READ}
  const asked = database.transaction('values').objectStore('values').getAll(
    IDBKeyRange.bound(prefix, prefix + '\\uffff'))
  const values = await new Promise((done) => {{ asked.onsuccess = () => done(asked.result) }})
  database.close()
  return values
}}"""
_KEYS = f"""async () => {{{_OPEN_TO_READ}
  const asked = database.transaction('values').objectStore('values').getAllKeys()
  const keys = await new Promise((done) => {{ asked.onsuccess = () => done(asked.result) }})
  database.close()
  return keys
}}"""


def scope_of(bureau: Bureau, username: str, operator_name: str = "李敏") -> str:
    """Where the data of a person stand in the app's store."""
    user = bureau.sign_in(username, operator_name)["user"]
    return f"u/{user['id']}~{quote(operator_name)}/"


def keys_kept(page: Page) -> list[str]:
    """Keys of all values in the app's store; none before the app has made it."""
    return [str(key) for key in page.evaluate(_KEYS)]


def photo(number: int) -> bytes:
    """A small picture, different for each number."""
    picture = Image.new("RGB", (64, 48), (number * 7 % 256, number * 13 % 256, number * 29 % 256))
    written = BytesIO()
    picture.save(written, "JPEG")
    return written.getvalue()


class Shelf:
    """What is written at once into the phone of one person."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.values: list[tuple[str, Any]] = []
        self.files: list[tuple[str, str]] = []
        self._now = int(time.time() * 1000) - 3_600_000

    def photo(self, number: int) -> str:
        """A photo that was taken and not sent; its id."""
        identifier, content = new_id(), photo(number)
        self.files.append((identifier, base64.b64encode(content).decode()))
        attachment = {
            "id": identifier, "purpose": "photo", "name": f"{number}.jpg", "mediaType": "image/jpeg",
            "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "takenAt": self._now, "place": None,
            "takenBy": "李敏", "uploadedAt": None,
        }  # fmt: skip
        self.values.append((f"{self.scope}file/{identifier}", attachment))
        return identifier

    def draft(self, body: dict[str, Any], **more: Any) -> str:
        """A draft; its id."""
        draft = self._draft(body) | more
        self.values.append((f"{self.scope}draft/{draft['id']}", draft))
        return str(draft["id"])

    def waiting(self, body: dict[str, Any], photos: int = 0, **more: Any) -> str:
        """A check that was submitted and waits, with so many photos; its id."""
        taken = [self.photo(len(self.files)) for _ in range(photos)]
        body = {**body, "photos": taken} if taken else body
        draft = self._draft(body)
        key = str(self._now).rjust(15, "0")
        call = {"method": "PUT", "path": f"/api/v1/inspections/{draft['id']}/submission", "body": body}
        entry = {
            "key": key, "id": draft["id"], "type": "submission", "recordType": "inspections",
            "title": body.get("org_name"), "call": call, "before": None, "files": taken, "draft": draft,
            "createdAt": self._now, "state": "waiting", "attempts": 0, "nextAt": 0, "asked": False,
            "filesSentAgain": False, "problem": None,
        }  # fmt: skip
        self.values.append((f"{self.scope}out/{key}", entry | more))
        return str(draft["id"])

    def write(self, page: Page) -> None:
        """Write it all; on a page of our origin that does not run the app."""
        page.evaluate(_WRITE, {"values": self.values, "files": self.files})
        self.values, self.files = [], []

    def _draft(self, body: dict[str, Any]) -> dict[str, Any]:
        self._now += 1
        return {
            "id": new_id(), "recordType": "inspections", "body": body, "filled": {"answered": 17, "total": 23},
            "createdAt": self._now, "changedAt": self._now, "server": None, "unanswered": None, "problem": None,
            "refused": None, "conflict": None, "removed": False, "takenBackFrom": None,
        }  # fmt: skip


def left(page: Page, scope: str) -> list[dict[str, Any]]:
    """What still waits on the phone."""
    return kept(page, f"{scope}out/")


def kept(page: Page, prefix: str) -> list[dict[str, Any]]:
    """The values that the app keeps under keys with this beginning."""
    return list(page.evaluate(_READ, prefix))
