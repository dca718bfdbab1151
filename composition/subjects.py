"""Permission to read, by subject type: each room's query, under the name of the type in history and files."""

from functools import partial

from accounts import queries as account_queries
from core.workflows.subjects import SubjectRegistry
from feedback import queries as rating_queries
from inspection.corrections import request_queries
from inspection.dictionaries import entries as dictionaries
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.records import access as record_access


def subject_registry() -> SubjectRegistry:
    """The registry of read permissions; the filing engine adds filings and their subjects to it."""
    subjects = SubjectRegistry()
    subjects.register("account_application", account_queries.may_read_application)
    subjects.register("user", account_queries.may_read_user)
    subjects.register("inspection", partial(record_access.may_read, CHECK))
    subjects.register("spot_check", partial(record_access.may_read, SPOT_CHECK))
    subjects.register("dictionary_entry", dictionaries.may_read)
    subjects.register("correction_request", request_queries.may_read)
    subjects.register("rating", rating_queries.may_read_rating)
    subjects.register("rating_code", rating_queries.may_read_code)
    return subjects
