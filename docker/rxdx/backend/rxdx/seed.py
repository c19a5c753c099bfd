"""`python -m rxdx.seed`: something to look at in development. It may run any number of times."""

import sys

from .config import read_config
from .database import cypher, make_engine

REQUIREMENTS = {
    "REQ-1": "A dose is never given twice",
    "REQ-2": "Each dose is recorded when it is given",
    "REQ-3": "Two people confirm a change of dose",
}
TESTS = {"TEST-1": "Give a dose again within a minute"}
LINKS = (("REFINES", "Requirement", "REQ-2", "REQ-1"), ("VERIFIES", "Test", "TEST-1", "REQ-1"))


def main() -> None:
    config = read_config()
    if config.environment == "production":
        sys.exit("seeds are for development")
    with make_engine(config).begin() as connection:
        for label, nodes in (("Requirement", REQUIREMENTS), ("Test", TESTS)):
            for key, title in nodes.items():
                query = f"MERGE (n:{label} {{key: $key}}) SET n.title = $title RETURN n.key"
                cypher(connection, query, key=key, title=title)
        for kind, label, source, target in LINKS:
            query = f"MATCH (a:{label} {{key: $a}}), (b:Requirement {{key: $b}}) MERGE (a)-[l:{kind}]->(b) RETURN b.key"
            cypher(connection, query, a=source, b=target)
    print(f"{len(REQUIREMENTS)} requirements, {len(TESTS)} test, {len(LINKS)} links")


if __name__ == "__main__":
    main()
