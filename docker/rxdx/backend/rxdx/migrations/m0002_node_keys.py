"""A key names one requirement or one test."""

from sqlalchemy import Connection

from ..database import GRAPH

LABELS = ("Requirement", "Test")


def upgrade(connection: Connection) -> None:
    for label in LABELS:
        connection.exec_driver_sql(
            f'CREATE UNIQUE INDEX {label.lower()}_key ON "{GRAPH}"."{label}" '
            "(ag_catalog.agtype_access_operator(VARIADIC ARRAY[properties, '\"key\"'::ag_catalog.agtype]))"
        )


def downgrade(connection: Connection) -> None:
    for label in LABELS:
        connection.exec_driver_sql(f'DROP INDEX "{GRAPH}".{label.lower()}_key')
