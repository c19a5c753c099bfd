#!/bin/bash
# start.sh [development|production|testing]
set -e
source "$(dirname "$0")/common.sh"
PROFILE="${1:-development}"

info "Starting PagoDirecto ($PROFILE)"
if ! docker info > /dev/null 2>&1; then error "Docker is not running"; exit 1; fi
if [ ! -f .env ]; then
    warn "No .env, copying .env.$PROFILE"
    cp ".env.$PROFILE" .env
fi

docker compose --profile "$PROFILE" up -d

info "Waiting for services..."
for service in postgres backend frontend; do
    for i in $(seq 1 30); do
        if docker compose ps "$service" | grep -q "healthy"; then info "$service is healthy"; break; fi
        sleep 2
    done
done

info "All services started successfully!"
echo "  Frontend: http://localhost:3000"
echo "  Backend:  http://localhost:8080"
echo "  Adminer:  http://localhost:8081"
