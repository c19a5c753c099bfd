#!/bin/bash
# restore-db.sh <name>
source "$(dirname "$0")/common.sh"
NAME="$1"
if [ -z "$NAME" ]; then error "Usage: restore-db.sh <name>"; ls -lh "$BACKUP_DIR"; exit 1; fi
FILE="$BACKUP_DIR/$NAME.sql.gz"
if [ ! -f "$FILE" ]; then error "No such backup: $FILE"; exit 1; fi

read -p "This replaces the database $POSTGRES_DB. Type 'yes' to continue: " ANSWER
if [ "$ANSWER" != "yes" ]; then echo "Cancelled"; exit 0; fi

info "Safety backup..."
docker compose exec -T postgres pg_dump -U "$POSTGRES_USER" -d "$POSTGRES_DB" | gzip > "$BACKUP_DIR/safety_$(date +%Y%m%d_%H%M%S).sql.gz"

info "Terminating connections..."
docker compose stop backend 2> /dev/null
docker compose exec -T postgres psql -U "$POSTGRES_USER" -d postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$POSTGRES_DB'" > /dev/null
docker compose exec -T postgres psql -U "$POSTGRES_USER" -d postgres -c "DROP DATABASE IF EXISTS $POSTGRES_DB"
docker compose exec -T postgres psql -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE $POSTGRES_DB"

info "Restoring..."
gunzip -c "$FILE" | docker compose exec -T postgres psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" > /dev/null

docker compose start backend 2> /dev/null
info "Restore complete!"
