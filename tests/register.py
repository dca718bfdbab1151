"""Enterprises entered into the register as the import command enters them."""

from sqlalchemy.orm import Session

from enterprise import operations
from enterprise.filings.operations import follow_enterprise
from enterprise.operations import IMPORTED, EnterpriseFacts, Outcome


def put_enterprises(session: Session, *facts: EnterpriseFacts, source: str = IMPORTED) -> list[Outcome]:
    """What became of each."""
    effects = operations.put_enterprises(session, facts, source=source, on_move=follow_enterprise)
    return [effect.outcome for effect in effects]
