"""Seals (封印) over the history and the sign-ins: a chain of signed heads that shows what is gone or was replaced."""
