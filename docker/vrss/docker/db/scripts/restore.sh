#!/bin/sh
# Restores a dump into a new database beside the live one, which it does not touch.
#   restore.sh DUMP [NEW_NAME]
# All of it or nothing: a restore that fails leaves no database behind. Connects as backup.sh does.
set -eu

dump=${1:?"usage: restore.sh DUMP [NEW_NAME]"}
if [ -n "${PGPASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$PGPASSWORD_FILE")
    export PGPASSWORD
fi
: "${PGDATABASE:?is not set}"
live=$PGDATABASE
new=${2:-${live}_restored_$(date -u +%Y%m%d%H%M%S)}

case $new in
    *[!A-Za-z0-9_]*) echo "a database's name has letters, digits and _ here: $new" >&2; exit 64 ;;
esac
pg_restore --file=/dev/null "$dump" # is it whole? before anything is created

createdb --no-password --template=template0 -- "$new"
if ! pg_restore --no-password --exit-on-error --single-transaction --dbname="$new" "$dump"; then
    dropdb --no-password -- "$new"
    echo "the restore failed; $new is gone again and $live is as it was" >&2
    exit 1
fi
PGDATABASE=$new psql --no-psqlrc --no-password --quiet --command 'ANALYZE'
echo "restored into $new; $live is as it was"
