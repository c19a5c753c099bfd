#!/bin/bash
# Restores the database from a backup: restore.sh <file>
set -e

DB_NAME="${DB_NAME:-vrss}"
DB_USER="${DB_USER:-vrss_user}"
FILE="$1"

if [ -z "$FILE" ]; then
    echo "Usage: $0 <backup file>"
    ls -lh ./backups
    exit 1
fi
if [ ! -f "$FILE" ]; then
    echo "No such file: $FILE"
    exit 1
fi

read -p "This will overwrite the database $DB_NAME. Continue? (yes/no) " ANSWER
if [ "$ANSWER" != "yes" ]; then
    echo "Cancelled"
    exit 0
fi

gunzip -c "$FILE" | docker compose exec -T db psql -U "$DB_USER" -d "$DB_NAME" > /dev/null 2>&1

echo "Database restored from $FILE"
