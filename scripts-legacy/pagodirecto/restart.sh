#!/bin/bash
# restart.sh [service]
set -e
source "$(dirname "$0")/common.sh"

if [ -n "$1" ]; then
    info "Restarting $1..."
    docker compose restart "$1"
else
    info "Restarting all services..."
    docker compose restart
fi
info "Restart complete"
