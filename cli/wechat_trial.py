"""Trying WeChat sign-in without an account: a double of WeChat beside the server (`make run WECHAT_DOUBLE=1`).

`core/config.py` refuses it in production. Here it is refused beside real data: it lets anybody be anybody.
"""

from core.config import Settings, SettingsError
from core.db import Database
from demo.loading import has_other_users


def start(settings: Settings, database: Database) -> str:
    """Start the double in this process and let the settings name it; its address."""
    if settings.production or has_other_users(database):
        raise SettingsError(
            "WECHAT_DOUBLE lets anybody sign in as anybody, and there are users beside those of the demo"
        )
    try:
        from tests import wechat_double
    except ImportError as error:  # a bundle for offline use has no tests
        raise SettingsError("WECHAT_DOUBLE is there only where the source code is") from error
    double = wechat_double.WeChatDouble()
    double.for_trying = True
    wechat_double.start(double)
    settings.wechat_appid = wechat_double.APPID
    settings.wechat_secret = type(settings.wechat_secret)(wechat_double.APP_KEY)
    settings.wechat_base_url = double.address
    return double.address
