#!/bin/bash
# restore.sh <date>, such as 20240117_020000
set -e
cd "$(dirname "$0")/.."
BACKUP_DIR="${BACKUP_DIR:-./backups}"
DATE="$1"
if [ -z "$DATE" ]; then echo "Usage: $0 <date>"; ls "$BACKUP_DIR"; exit 1; fi

echo "WARNING: this replaces the database"
read -p "Continue? (y/n) " -r
if [ "$REPLY" != "y" ]; then exit 0; fi

docker compose stop backend
gunzip -c "$BACKUP_DIR/db_$DATE.sql.gz" | docker compose exec -T postgres psql -U rxdx -d rxdx
docker compose start backend

echo "Restore complete!"
