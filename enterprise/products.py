"""The catalogue of the 13 key product categories (重点产品) of seed 001.

Which regulation types (监管类型) fit a category is not in the seed: `spec/a_inspection.md` §2.1
assumes it from the catalogues of licensed and of CCC products.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

REGULATION_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "licence": "工业产品生产许可证管理",
        "ccc": "强制性产品认证管理（含自我声明）",
        "other": "其他重点工业产品",
    }
)


@dataclass(frozen=True, slots=True)
class Product:
    """A product category; `regulation_types` are keys of `REGULATION_TYPES`, the usual one first."""

    code: str
    name: str
    regulation_types: tuple[str, ...]
    default: bool = False


# Order and names as printed in annex 1; 电线电缆 is the one chosen after sign-in (annex 7, part 1).
PRODUCTS: Mapping[str, Product] = MappingProxyType(
    {
        product.code: product
        for product in (
            Product("01", "危险化学品", ("licence",)),
            Product("02", "危险化学品包装物", ("licence",)),
            Product("03", "车载常压罐体", ("licence",)),
            Product("04", "钢筋", ("licence",)),
            Product("05", "水泥", ("licence",)),
            Product("06", "电线电缆", ("licence", "ccc"), default=True),
            Product("07", "燃气具", ("ccc", "licence", "other")),
            Product("08", "烟花爆竹", ("other",)),
            Product("09", "电动自行车", ("ccc",)),
            Product("10", "电动自行车充电器和电池", ("ccc", "other")),
            Product("11", "摩托车", ("ccc",)),
            Product("12", "汽车零部件", ("ccc", "other")),
            Product("13", "防火门", ("other",)),
        )
    }
)

DEFAULT_PRODUCT = next(product.code for product in PRODUCTS.values() if product.default)

_CODES_BY_NAME = {product.name: product.code for product in PRODUCTS.values()}


def product_code(text: str) -> str | None:
    """The code for a code (`06`, also `6` as Excel shortens it) or a name (`电线电缆`); None if unknown."""
    code = text.zfill(2)
    return code if code in PRODUCTS else _CODES_BY_NAME.get(text)
