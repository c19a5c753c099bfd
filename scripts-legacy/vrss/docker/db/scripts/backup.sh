#!/bin/bash
# Backs the database up. Runs in the backup service or on the host; keeps 30 days.
set -e

BACKUP_DIR="${BACKUP_DIR:-./backups}"
RETENTION_DAYS="${RETENTION_DAYS:-30}"
DB_NAME="${DB_NAME:-vrss}"
DB_USER="${DB_USER:-vrss_user}"
FILE="$BACKUP_DIR/vrss_backup_$(date +%Y%m%d_%H%M%S).sql.gz"

mkdir -p "$BACKUP_DIR"

echo "Starting backup of $DB_NAME..."
docker compose exec -T db pg_dump -U "$DB_USER" -d "$DB_NAME" --verbose --clean --if-exists --no-owner --no-privileges 2>&1 | gzip > "$FILE"

echo "Backup completed: $FILE ($(du -h "$FILE" | cut -f1))"

echo "Removing backups older than $RETENTION_DAYS days..."
find "$BACKUP_DIR" -name "*.sql.gz" -mtime +"$RETENTION_DAYS" -delete

echo "Backup finished successfully"
