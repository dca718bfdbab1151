"""Notices (通知公告): public, by system, with files; written by the officers of the system.

declarations.py   the systems that have notices, and whose verb writes them
models.py         the table
workflows.py      draft, published, withdrawn
operations.py     writing, publishing, withdrawing
queries.py        what the public reads, and what an office reads of its own
"""
