"""Long jobs (后台任务): work that a user asks for and that takes longer than an answer may, row by row.

    models.py       the tables: a job, and its rows
    operations.py   begin one, cancel it, delete what is long over
    asked.py        what was asked for, sealed with the job
    running.py      work on the rows; the thread of the server that does it
    answers.py      what `GET /jobs/{id}` says

Each row is one transaction that does its work and notes its outcome together: a process that dies loses nothing and
doubles nothing, and another goes on. A row that a rule refuses is noted with its reason, and the next one is done.
"""
