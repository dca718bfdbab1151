"""Papers that one process keeps in its memory for some minutes: who prints a paper again gets the same bytes at once.

The key is everything that goes into a paper, so that a changed record or template is another paper. Nothing is stored.
"""

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

BYTES = 8 * 1024 * 1024
SECONDS = 600.0


class KeptPapers:
    """Bytes by key, the oldest dropped first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """What is kept, or what is made now."""
        with self._lock:
            found = self._kept.get(key)
        if found is not None and time.monotonic() - found[0] < SECONDS:
            return found[1]
        content = make()
        with self._lock:
            self._kept[key] = (time.monotonic(), content)
            while sum(len(one) for _, one in self._kept.values()) > BYTES:
                self._kept.popitem(last=False)
        return content


def key_of(templates: Iterable[Path], *parts: Any) -> str:
    """Of the templates as they are now (a bureau may change its own while the server runs), and of all else."""
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode())
    for path in templates:
        digest.update(f"\0{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()
