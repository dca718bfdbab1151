"""Tables of what reviews end in: number series, certificates with their versions, counters, what is drawn on them."""

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class NumberSeries(Base):
    """The last number given of a series (编号序列); `stem` is what its numbers say besides the running part."""

    __tablename__ = "number_series"

    series: Mapped[str] = mapped_column(String(40), primary_key=True)
    stem: Mapped[str] = mapped_column(String(200), primary_key=True)
    last: Mapped[int] = mapped_column(Integer)
