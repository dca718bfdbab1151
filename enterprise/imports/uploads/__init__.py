"""Imports of registers by upload (名录导入): a file is staged with its preview, and brought in when the clerk says so.

models.py      the table: what was uploaded, what it would change, how far it has come
staging.py     stage a file, begin to apply it, read what it says, sweep
applying.py    the long job that brings in the rows
"""
