"""Mail of users (邮箱): the confirmed address of a user name, and links that are good once.

models.py            the tables
addresses.py         the address: asked for, confirmed, removed
links.py             links by mail: made, used once, swept
password_resets.py   a forgotten password (找回密码), and the first password of who was invited (邀请)
letters.py           what the mails say
"""
