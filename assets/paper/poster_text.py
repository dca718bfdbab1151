"""What can stand on a poster or a sign. Apart from `posters`, so that the server need not load what draws them."""

from dataclasses import dataclass

TITLE = "政务服务“好差评”"
SLOGAN = "您的评价，帮助我们改进服务"
INSTRUCTION = "请使用微信、支付宝或手机浏览器扫一扫，对本次服务作出评价"
SMALL_PRINT = "同一手机号5天内只能填报一次"
LAYOUT_VERSION = 1
"""To be raised whenever a picture comes to look different: kept pictures are then made anew."""
REFUSED = 3
"""How `poster_worker` ends when a font or a character is missing."""


@dataclass(frozen=True, slots=True)
class Poster:
    """What stands on a poster (海报) or a table sign (台签); what is empty is left out. `url` is what the code says."""

    url: str
    matter: str = ""
    bureau: str = ""
    window: str = ""
    title: str = TITLE
    slogan: str = SLOGAN
    instruction: str = INSTRUCTION
    small_print: str = SMALL_PRINT
