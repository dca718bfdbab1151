"""Catalogues (目录词典): dictionaries too large to stand in a form, imported from Excel, searched at the server.

declared.py    which there are, and what their entries say besides code and name
models.py      the tables
importing.py   a file of entries: preview, then import
queries.py     search by code or name; entries by code; the rows below an entry
words.py       the same for the form engine
commands.py    `./manage catalogues`
"""
