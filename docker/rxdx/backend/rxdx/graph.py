"""Requirements, tests, and what connects them."""

from typing import Any

from sqlalchemy import Connection

from .database import cypher

LABELS = {"requirement": "Requirement", "test": "Test"}
# What may lead from where; it always leads to a requirement.
LINKS = {"refines": ("Requirement", "REFINES"), "verifies": ("Test", "VERIFIES")}


def add(connection: Connection, kind: str, key: str, title: str) -> dict[str, Any]:
    query = f"CREATE (n:{LABELS[kind]} {{key: $key, title: $title}}) RETURN {{key: n.key, title: n.title}}"
    return cypher(connection, query, key=key, title=title)[0]


def requirements(connection: Connection) -> list[dict[str, Any]]:
    return cypher(connection, "MATCH (n:Requirement) WITH n ORDER BY n.key RETURN {key: n.key, title: n.title}")


def exists(connection: Connection, key: str) -> bool:
    return bool(cypher(connection, "MATCH (n:Requirement {key: $key}) RETURN n.key", key=key))


def link(connection: Connection, kind: str, source: str, target: str) -> bool:
    """False if one of the two is not there."""
    label, name = LINKS[kind]
    query = f"MATCH (a:{label} {{key: $a}}), (b:Requirement {{key: $b}}) MERGE (a)-[l:{name}]->(b) RETURN b.key"
    return bool(cypher(connection, query, a=source, b=target))


def trace(connection: Connection, key: str) -> list[dict[str, Any]]:
    """Everything from which a way leads to this requirement, the nearest first."""
    query = (
        "MATCH way = (n)-[*1..8]->(:Requirement {key: $key}) "
        "RETURN {key: n.key, title: n.title, kind: label(n), steps: length(way)}"
    )
    found: dict[str, dict[str, Any]] = {}
    for step in sorted(cypher(connection, query, key=key), key=lambda step: (step["steps"], step["key"])):
        found.setdefault(step["key"], step)
    return list(found.values())
