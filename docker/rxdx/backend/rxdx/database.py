"""The pool of connections, and the graph."""

import json
from typing import Any

from sqlalchemy import Connection, Engine, create_engine

from .config import Config

GRAPH = "traceability"


def make_engine(config: Config) -> Engine:
    """Connections that are tried before they are used: a restart or a restore of the database ends them."""
    return create_engine(
        config.database_url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=config.pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": "rxdx"},
    )


def has_graph(connection: Connection) -> bool:
    sql = "SELECT EXISTS (SELECT FROM ag_catalog.ag_graph WHERE name = %s)"
    return bool(connection.exec_driver_sql(sql, (GRAPH,)).scalar())


def cypher(connection: Connection, query: str, **values: Any) -> list[Any]:
    """What a query answers that returns one value per row. Values travel as parameters, never in the text."""
    assert "$$" not in query and "%" not in query
    sql = f"SELECT row FROM ag_catalog.cypher('{GRAPH}', $$ {query} $$, %s) AS (row ag_catalog.agtype)"
    rows = connection.exec_driver_sql(sql, (json.dumps(values),))
    return [json.loads(text) for (text,) in rows]
