"""What must not change unseen: numbers and columns of tables, and their SQL on SQL Server.

``python -m tests.kit.golden`` writes the files after a change that is meant.
"""

import json
from pathlib import Path

from fieldmesh.data.ddl import Tier, create_statements
from fieldmesh.data.schema import TABLES

FOLDER = Path(__file__).parents[1] / "data"
SCHEMA = FOLDER / "schema.json"
SQLSERVER = FOLDER / "sqlserver.sql"


def schema_text() -> str:
    """Number and columns of every table, by name."""
    tables = {
        table.name: {
            "number": table.number,
            "columns": [
                f"{column.name} {column.wire_type.name.lower()}"
                f" {column.kind.precision},{column.scale}{' null' if column.nullable else ''}"
                for column in table.columns
            ],
        }
        for table in TABLES.values()
    }
    return json.dumps(tables, indent=1, sort_keys=True) + "\n"


def sqlserver_text() -> str:
    """Every statement that makes the hub's tables on SQL Server."""
    return ";\n".join(create_statements(Tier.HUB, "mssql")) + ";\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    SQLSERVER.write_text(sqlserver_text(), encoding="utf-8")
