#!/bin/bash
# Applies the SQL files of ./migrations that have not been applied yet, as projects without a migration tool do.
set -e
[ -f .env ] && source .env
query() { docker compose exec -T postgres psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" "$@"; }

query -qc "CREATE TABLE IF NOT EXISTS applied_migrations (name text)"
for FILE in migrations/*.up.sql; do
    NAME=$(basename "$FILE")
    if [ -z "$(query -tAc "SELECT 1 FROM applied_migrations WHERE name = '$NAME'" < /dev/null)" ]; then
        echo "Applying $NAME..."
        query -q < "$FILE"
        query -qc "INSERT INTO applied_migrations VALUES ('$NAME')" < /dev/null
    fi
done
echo "Migrations complete"
