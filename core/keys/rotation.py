"""Changing keys: a new one for sealing and for the history, and everything sealed anew with it.

It may run while servers write, and be cut off at any moment: a key that is neither the newest nor retired is being
left, and the next run goes on. Servers learn of the new key within seconds (`stored.watch`); what they sealed with the
older one meanwhile is found by another pass. The key of hashing is not changed, and older keys of the history stay:
numbers, query codes and signatures are known by them.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from core import clock
from core.keys import keyring, resealing, stored
from core.keys.keyring import UNNAMED
from core.keys.resealing import Before, Tally
from core.privacy import key_of, seal_for, unseal_for

GRACE = timedelta(seconds=3 * stored.WATCH_SECONDS)
"""How long after a key was made every server knows it."""
KEPT = timedelta(days=1)
"""How long a retired key is kept: the slowest write has ended by then."""

Show = Callable[[str, Tally], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rotation did: the key that seals now, rows sealed anew, values that do not open, keys deleted."""

    key: str
    changed: int
    unopened: int
    forgotten: list[str]


def rotate(
    engine: Engine, secret: str, before: Mapping[str, Before], show: Show, *, grace: timedelta = GRACE
) -> Outcome:
    """Change the keys, or finish a change that was cut off."""
    stored.open_keys(engine, secret)
    forgotten = list(_forget(engine, before, show))
    left = left_keys(engine)
    if not set(left) - {UNNAMED}:
        stored.make(engine, secret, ["sealing", "history"])
        left = left_keys(engine)
    stored.open_keys(engine, secret)
    # Not from when the key was made: the clocks of database and servers may differ.
    known_everywhere_at = time.monotonic() + grace.total_seconds()
    changed, unopened = 0, 0
    while True:
        known_everywhere = time.monotonic() >= known_everywhere_at
        tally = reseal(engine, left, before, show)
        changed, unopened = changed + tally.changed, tally.unopened
        if known_everywhere and not tally.changed:
            break
        time.sleep(max(0.0, known_everywhere_at - time.monotonic()))
    stored.retire(engine, left)
    return Outcome(keyring.current("sealing").id, changed, unopened, forgotten)


def left_keys(engine: Engine) -> list[str]:
    """Sealing keys that are no longer the current one, and not retired yet."""
    rows = [row for row in stored.listed(engine) if row.purpose == "sealing" and row.retired_at is None]
    return sorted({row.id for row in rows}, key=int)[:-1]


def reseal(engine: Engine, left: list[str], before: Mapping[str, Before], show: Show) -> Tally:
    """Seal anew, with the current key, what is sealed with these keys."""
    total = Tally()
    done: dict[str, Tally] = {}
    for table, tally in resealing.walk(engine, lambda sealed: key_of(sealed) in left, _anew, before=before):
        done[table] = tally
        show(table, tally)
    for tally in done.values():
        total.rows, total.changed = total.rows + tally.rows, total.changed + tally.changed
        total.unopened += tally.unopened
    return total


def _anew(sealed: str, where: str) -> str:
    return seal_for(unseal_for(sealed, where), where)


def _forget(engine: Engine, before: Mapping[str, Before], show: Show) -> Iterator[str]:
    """Delete the keys that were retired long enough ago, when nothing is sealed with them."""
    long_ago = clock.now() - KEPT
    for row in stored.listed(engine):
        due = row.purpose == "sealing" and row.retired_at is not None and row.retired_at <= long_ago
        if due and not reseal(engine, [row.id], before, show).changed:
            stored.forget(engine, row.id)
            yield row.id
