"""Users, the log of changes, and the graph of requirements."""

from sqlalchemy import Connection

from ..database import GRAPH

UP = (
    "CREATE EXTENSION IF NOT EXISTS age",
    """
    CREATE TABLE users (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        email text NOT NULL CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND char_length(email) <= 254),
        password_hash text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE UNIQUE INDEX users_email_key ON users (lower(email))",
    """
    CREATE TABLE audit_log (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        user_id bigint REFERENCES users (id),
        action text NOT NULL,
        subject text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX audit_log_user_idx ON audit_log (user_id, created_at)",
    f"SELECT ag_catalog.create_graph('{GRAPH}')",
    f"SELECT ag_catalog.create_vlabel('{GRAPH}', 'Requirement')",
    f"SELECT ag_catalog.create_vlabel('{GRAPH}', 'Test')",
    f"SELECT ag_catalog.create_elabel('{GRAPH}', 'REFINES')",
    f"SELECT ag_catalog.create_elabel('{GRAPH}', 'VERIFIES')",
)


def upgrade(connection: Connection) -> None:
    for statement in UP:
        connection.exec_driver_sql(statement)


def downgrade(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT ag_catalog.drop_graph('{GRAPH}', true)")
    connection.exec_driver_sql("DROP TABLE audit_log, users")
