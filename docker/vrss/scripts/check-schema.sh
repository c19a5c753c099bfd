#!/bin/sh
# The schema that a new database gets from docker/db/init must be the one of the first migration, byte for byte.
set -eu
cd "$(dirname "$0")/.."
if cat docker/db/init/*.sql | cmp - backend/migrations/20251016090000_initial_schema.up.sql; then
    echo "docker/db/init and the first migration agree"
else
    echo "docker/db/init and the first migration differ; a later change of the schema is a new migration" >&2
    exit 1
fi
