"""What the nightly job of retention (保存期限) removes, of all rooms."""

from accounts import retention as accounts
from enterprise.filings import retention as filings
from feedback import retention as feedback
from inspection import retention as inspection

RULES = (*accounts.RULES, *feedback.RULES, *inspection.RULES, *filings.RULES)
