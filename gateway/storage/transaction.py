"""The one name by which other packages speak of an open transaction, without speaking SQL."""

from sqlite3 import Connection as Transaction

__all__ = ["Transaction"]
