"""Whole numbers of 128 bits: the product of two that fit a column fits one."""

import sqlalchemy as sa
from typing_extensions import override


class _Wide(sa.types.UserDefinedType[int]):
    cache_ok: bool | None = True

    @override
    def get_col_spec(self, **_: object) -> str:
        return "HUGEINT"


WIDE = _Wide()
"""DuckDB's type."""
