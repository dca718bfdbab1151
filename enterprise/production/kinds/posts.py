"""The posts (岗) of production licences: one, whoever reviews filings at an office of the enterprise's region."""

from accounts.verbs import Verb
from enterprise.filings.declaring.declarations import Post

OFFICE = Post("office", "局方", Verb.FILINGS_REVIEW.value)
