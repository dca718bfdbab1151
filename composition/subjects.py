"""Permission to read, by subject type: each room's query, under the name of the type in history and files."""

from functools import partial

from accounts import queries as account_queries
from accounts.verbs import Verb
from core.workflows.subjects import SubjectRegistry
from feedback import queries as rating_queries
from inspection.corrections import request_queries
from inspection.dictionaries import entries as dictionaries
from inspection.enforcement import queries as enforcement
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.records import access as record_access


def subject_registry() -> SubjectRegistry:
    """The registry of read permissions; the filing engine adds filings and their subjects to it."""
    read = Verb.INSPECTION_READ
    subjects = SubjectRegistry()
    subjects.register("account_application", {Verb.ACCOUNTS_DECIDE}, account_queries.may_read_application)
    subjects.register("user", {Verb.ACCOUNTS_MANAGE, Verb.ENTERPRISES_MANAGE}, account_queries.may_read_user)
    subjects.register("inspection", {read}, partial(record_access.may_read, CHECK))
    subjects.register("spot_check", {read}, partial(record_access.may_read, SPOT_CHECK))
    subjects.register("dictionary_entry", {read, Verb.DICTIONARIES_KEEP}, dictionaries.may_read)
    approve = Verb.INSPECTION_APPROVE
    subjects.register("enforcement_paper", {read, approve}, enforcement.may_read, enforcement.may_fetch)
    subjects.register("correction_request", {read}, request_queries.may_read)
    subjects.register("rating", {Verb.RATINGS_READ}, rating_queries.may_read_rating)
    subjects.register("rating_code", {Verb.RATINGS_READ, Verb.FILINGS_WRITE}, rating_queries.may_read_code)
    return subjects
