"""Registration without an account (自行登记): somebody opens one filing, and reaches it by a query code (查询码).

declarations.py     which systems take whom
models.py           the table
registering.py      registering: applicant, filing, query code
query_sessions.py   a token for the query code; a lost code by mail
joining.py          an organisation that is known already takes a registration over, or leaves it apart
queries.py          the registrations that somebody may decide on
"""
