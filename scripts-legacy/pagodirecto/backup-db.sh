#!/bin/bash
# backup-db.sh [name]
set -e
source "$(dirname "$0")/common.sh"
NAME="${1:-backup_$(date +%Y%m%d_%H%M%S)}"
FILE="$BACKUP_DIR/$NAME.sql.gz"

mkdir -p "$BACKUP_DIR"
info "Backing up $POSTGRES_DB to $FILE"
docker compose exec -T postgres pg_dump -U "$POSTGRES_USER" -d "$POSTGRES_DB" --clean --if-exists --no-owner | gzip > "$FILE"

# Integrity
if gzip -t "$FILE"; then info "Integrity check passed"; else error "The backup is corrupt"; exit 1; fi

# Retention: 30 days
find "$BACKUP_DIR" -name "*.sql.gz" -mtime +30 -delete
info "Backup complete: $FILE ($(du -h "$FILE" | cut -f1))"
