#!/bin/bash
# stop.sh
set -e
source "$(dirname "$0")/common.sh"

info "Stopping services..."
docker compose --profile development --profile production --profile testing down
if [ -z "$(docker compose ps -q)" ]; then info "All services stopped"; else warn "Some services still run"; fi
