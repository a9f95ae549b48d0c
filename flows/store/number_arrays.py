"""Arrays of whole numbers in statements: sent and read as text, so that no new connection asks the catalogue what they are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, BindParameter, ColumnElement, Dialect, Text, TypeDecorator, cast, type_coerce


class _Texts(TypeDecorator[list[int]]):
    """64-bit whole numbers, sent as PostgreSQL's text[]."""

    impl = ARRAY(Text)
    cache_ok = True

    def process_bind_param(self, value: list[int] | None, dialect: Dialect) -> list[str] | None:
        """Numbers as texts, for a statement."""
        return None if value is None else [str(each) for each in value]


class Numbers(TypeDecorator[list[int]]):
    """64-bit whole numbers, sent and read as PostgreSQL's text[]: what an array of anything else is, asyncpg asks the catalogue
    on each new connection, which takes 10 ms. A statement that is written out casts what it gives to text[]."""

    impl = ARRAY(BigInteger)
    cache_ok = True

    def bind_expression(self, bindparam: BindParameter[list[int]]) -> ColumnElement[Any]:
        """The texts, taken for numbers."""
        return cast(type_coerce(bindparam, _Texts()), ARRAY(BigInteger))

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The numbers, given as texts."""
        return type_coerce(cast(column, ARRAY(Text)), self)

    def process_result_value(self, value: list[Any] | None, dialect: Dialect) -> list[int] | None:
        """Texts as numbers, of a row."""
        return None if value is None else [int(each) for each in value]
