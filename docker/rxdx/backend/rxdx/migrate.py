"""`python -m rxdx.migrate up|down|status`: each version once, in one transaction with its line in the ledger.

up applies what is pending, down reverts the last one, status ends with 1 while something is pending.
"""

import importlib
import pkgutil
import sys
from types import ModuleType

from sqlalchemy import Connection, Engine

from . import migrations
from .config import ConfigError, read_config
from .database import make_engine

LEDGER = """
    CREATE TABLE IF NOT EXISTS schema_versions (
        version text PRIMARY KEY,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
# Two that migrate at once: the second one waits, and then finds nothing to do.
LOCK = "SELECT pg_advisory_xact_lock(727830201)"


def versions() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(migrations.__path__))


def module_of(version: str) -> ModuleType:
    return importlib.import_module(f"{migrations.__name__}.{version}")


def applied(connection: Connection) -> list[str]:
    if connection.exec_driver_sql("SELECT to_regclass('schema_versions')").scalar() is None:
        return []
    rows = connection.exec_driver_sql("SELECT version FROM schema_versions ORDER BY version")
    return [version for (version,) in rows]


def pending(connection: Connection) -> list[str]:
    done = applied(connection)
    return [version for version in versions() if version not in done]


def up(engine: Engine) -> int:
    while True:
        with engine.begin() as connection:
            connection.exec_driver_sql(LOCK)
            connection.exec_driver_sql(LEDGER)
            version = next(iter(pending(connection)), None)
            if version is None:
                return 0
            module_of(version).upgrade(connection)
            connection.exec_driver_sql("INSERT INTO schema_versions (version) VALUES (%s)", (version,))
        print(f"applied {version}")


def down(engine: Engine) -> int:
    with engine.begin() as connection:
        connection.exec_driver_sql(LOCK)
        last = next(reversed(applied(connection)), None)
        if last is None:
            print("nothing is applied")
            return 0
        if last not in versions():
            print(f"{last} is applied, and its file is not here", file=sys.stderr)
            return 1
        module_of(last).downgrade(connection)
        connection.exec_driver_sql("DELETE FROM schema_versions WHERE version = %s", (last,))
    print(f"reverted {last}")
    return 0


def status(engine: Engine) -> int:
    with engine.connect() as connection:
        waiting = pending(connection)
    for version in versions():
        print(f"{version}: {'pending' if version in waiting else 'applied'}")
    return 1 if waiting else 0


COMMANDS = {"up": up, "down": down, "status": status}


def main(words: list[str]) -> int:
    if len(words) != 1 or words[0] not in COMMANDS:
        print("usage: python -m rxdx.migrate up|down|status", file=sys.stderr)
        return 64
    try:
        engine = make_engine(read_config())
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 78
    return COMMANDS[words[0]](engine)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
