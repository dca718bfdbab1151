"""The demo register: made-up enterprises in every county of Jiangsu, recognisable by 某 in each name.

They depend only on this file and the regions, so that they are the same every time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from core.identifiers import is_org_code, make_uscc
from enterprise.operations import SCALES, EnterpriseFacts

PROVINCE = "320000"
PER_COUNTY = 24
SOURCE = "demo"

# By product, words for the name. The first half of each county's enterprises make 电线电缆, the preset product.
_WORDS = {
    "01": ("化工", "精细化工", "化学助剂"),
    "02": ("包装容器", "化工包装"),
    "03": ("罐车", "专用汽车"),
    "04": ("钢铁", "特钢", "轧钢"),
    "05": ("水泥", "建材"),
    "06": ("电缆", "电线", "线缆", "电线电缆", "特种电缆", "电工材料", "电线组件"),
    "07": ("燃气具", "厨房电器", "燃气设备"),
    "08": ("烟花爆竹",),
    "09": ("电动车", "电动自行车", "车业"),
    "10": ("新能源电池", "充电设备"),
    "11": ("摩托车",),
    "12": ("汽车零部件", "汽车配件"),
    "13": ("防火门", "门业"),
}
_OTHERS = ("01", "02", "04", "05", "05", "07", "07", "09", "10", "12", "12", "13")
_RARE = ("03", "08", "11")
_SECOND = {"09": "10", "10": "09", "06": "12", "01": "02", "04": "13", "07": "13"}
_MARKS = "甲乙丙丁华盛达通远兴恒泰宏昌瑞源康安顺立信德诚鑫"
_FORMS = ("有限公司", "有限公司", "有限公司", "科技有限公司", "制造有限公司", "股份有限公司", "厂", "集团有限公司")
_FAMILY_NAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡林郭何高罗"


@dataclass(frozen=True, slots=True)
class County:
    """A county and the name of its city."""

    code: str
    name: str
    city_name: str


def enterprises(counties: Sequence[County]) -> list[EnterpriseFacts]:
    """`PER_COUNTY` enterprises for each county, in the order given."""
    random = Random(20260420)  # noqa: S311 - made to be the same every time
    made: list[EnterpriseFacts] = []
    names: set[str] = set()
    for county in counties:
        for number in range(PER_COUNTY):
            made.append(_enterprise(random, county, number, len(made) + 1, names))
    return made


def _enterprise(random: Random, county: County, number: int, serial: int, names: set[str]) -> EnterpriseFacts:
    if number < PER_COUNTY // 2:
        product = "06"
    elif number < PER_COUNTY - 1:
        product = _OTHERS[number - PER_COUNTY // 2]
    else:
        product = random.choice(_RARE)
    products = [product]
    if product in _SECOND and random.random() < 0.2:
        products.append(_SECOND[product])
    name = _name(random, county, product)
    while name in names:
        name = _name(random, county, product)
    names.add(name)
    address = f"江苏省{county.city_name}{county.name}某某路{random.randint(1, 300)}号"
    return {
        "uscc": uscc(county.code, serial),
        "name": name,
        "region_code": county.code,
        "address": address,
        "production_address": address if random.random() < 0.8 else f"{address}某某工业园{random.randint(1, 9)}幢",
        "legal_representative": f"{random.choice(_FAMILY_NAMES)}某某",
        "scale": random.choices(list(SCALES), weights=(1, 3, 8, 4))[0],
        "product_codes": products,
    }


def _name(random: Random, county: County, product: str) -> str:
    place = _short(county.city_name if random.random() < 0.6 else county.name)
    mark = "某某" if random.random() < 0.15 else f"某{random.choice(_MARKS)}"
    return f"{place}{mark}{random.choice(_WORDS[product])}{random.choice(_FORMS)}"


def _short(region_name: str) -> str:
    return region_name.rstrip("市区县") if len(region_name) > 2 else region_name


def uscc(region_code: str, serial: int) -> str:
    """A valid credit code that is recognisable as a demo: it contains `DEM` and the serial number."""
    body = f"DEM{serial:05d}"
    check = next(character for character in "0123456789X" if is_org_code(body + character))
    return make_uscc(f"91{region_code}{body}{check}")
