"""Listeners of events, connected here because a room may not import rooms beside or above it."""

from accounts.handing_over import HANDED_OVER
from core.workflows.events import Events
from enterprise.filings.steps.actions import FINISHED
from feedback import handing_over as ratings
from feedback.codes import operations as rating_codes
from inspection import handing_over as drafts


def connected() -> Events:
    """The events with all listeners, for the server and for the command line."""
    events = Events()
    events.listen(FINISHED, rating_codes.invite)
    events.listen(HANDED_OVER, drafts.hand_over)
    events.listen(HANDED_OVER, ratings.hand_over)
    return events
