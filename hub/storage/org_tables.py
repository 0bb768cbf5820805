"""System tables of the hub for enrolment, patches and the scopes of gateways."""

from functools import cache

import sqlalchemy as sa

from fieldmesh.data.columns import binary, link, text, time, whole
from fieldmesh.data.model import ReplicatedColumn, Tier
from fieldmesh.data.schema import TABLES

ORG_METADATA = sa.MetaData()
_REPLICATED = sa.MetaData()


def _table(name: str, keys: tuple[str, ...], *columns: ReplicatedColumn) -> sa.Table:
    made = [
        sa.Column(
            column.name,
            column.kind.sql_type(),
            primary_key=column.name in keys,
            nullable=column.nullable,
            autoincrement=False,
        )
        for column in columns
    ]
    return sa.Table(name, ORG_METADATA, *made)


PATCH = _table("fm_patch", ("patch_id",), link("patch_id"), whole("positions", null=False))
PATCH_POSITION = _table(
    "fm_patch_position", ("patch_id", "position_id"), link("patch_id"), link("position_id")
)
sa.Index("fm_patch_position_by_position", PATCH_POSITION.c.position_id)

GATEWAY_PARTITION = _table(
    "fm_gateway_partition",
    ("gateway_id", "partition"),
    link("gateway_id"),
    whole("partition", null=False),
)

CODE = _table(
    "fm_code",
    ("secret_hash",),
    text("secret_hash", 64, null=False),
    text("node_kind", 20, null=False),
    link("node_id"),
    time("expires_at", null=False),
    time("used_at"),
    text("used_by_key", 64),
)
sa.Index("fm_code_by_node", CODE.c.node_id)

CERTIFICATE = _table(
    "fm_certificate",
    ("serial",),
    text("serial", 64, null=False),
    text("node_kind", 20, null=False),
    link("node_id"),
    text("fingerprint", 64, null=False),
    binary("certificate", null=False),
    time("issued_at", null=False),
    time("expires_at", null=False),
    time("revoked_at"),
)
sa.Index("fm_certificate_by_node", CERTIFICATE.c.node_id)

ENDED_BUS_KEY = _table(
    "fm_ended_bus_key",
    ("bus_key",),
    text("bus_key", 64, null=False),
    link("gateway_id"),
    time("ended_at", null=False),
)


@cache
def replicated_table(name: str) -> sa.Table:
    """The hub's table of that name of the schema.

    Raises:
        KeyError: there is none.
    """
    return TABLES[name].sql_table(Tier.HUB, _REPLICATED)
