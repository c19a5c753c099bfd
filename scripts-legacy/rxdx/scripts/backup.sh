#!/bin/bash
# Backs up the database, the volume and the configuration. From cron: 0 2 * * *
set -e
cd "$(dirname "$0")/.."
BACKUP_DIR="${BACKUP_DIR:-./backups}"
DATE=$(date +%Y%m%d_%H%M%S)
PROJECT="${COMPOSE_PROJECT_NAME:-rxdx}"
RETENTION_DAYS=30

mkdir -p "$BACKUP_DIR"

echo "Backing up database..."
docker compose exec -T postgres pg_dump -U rxdx rxdx | gzip > "$BACKUP_DIR/db_$DATE.sql.gz"

echo "Backing up volumes..."
docker run --rm -v "${PROJECT}_postgres_data:/data" -v "$(pwd)/$BACKUP_DIR:/backup" "${TAR_IMAGE:-alpine:3}" tar czf "/backup/postgres_data_$DATE.tar.gz" /data

echo "Backing up configuration..."
tar czf "$BACKUP_DIR/config_$DATE.tar.gz" .env* docker-compose*.yml nginx

echo "Cleaning up old backups..."
find "$BACKUP_DIR" -name "*.gz" -mtime +$RETENTION_DAYS -delete

echo "Backup complete: $DATE"
