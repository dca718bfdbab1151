"""Law enforcement papers (执法文书) around a check: approval, notice, record of the site, order to correct, receipt.

    kinds.json      what papers there are, as data: form, number, whether somebody approves, whether it is served
    forms/, papers/ their forms and templates; a bureau adds its own in DATA_DIR/forms and DATA_DIR/papers
    models.py       the tables: papers, and the 执法证号 of an office's officers
    operations.py   save, submit, approve, issue, serve, void
    steps.py        what the steps are called and ask for, where a paper stands: all that screens know of it
    prefill.py      what stands in a new paper: of its check, of the register
    queries.py      what is read, within the caller's regions
    printing.py     the paper, its 送达回证, and what holds of a print later
    integrity.py    whether papers still say what their history records
    officers.py     names and 执法证号, filled in where a paper leaves them out

The wording is a proposal that a bureau replaces by its official text (docs/decisions/0035-enforcement-papers.md).
"""
