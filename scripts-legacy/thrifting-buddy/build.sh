#!/bin/bash
# The build procedure, with the cleaning that comes before and after it.
set -e
df -h .
clean() {
    if [ "$LEGACY_REALLY_PRUNE" = 1 ]; then
        docker system prune -f
        docker builder prune -f
    else
        echo "left out: docker system prune -f; docker builder prune -f"
    fi
}
clean
docker compose build
docker build -f backend/Dockerfile.backend -t thrifting-buddy/backend:latest ./backend
docker build -f mobile-app/Dockerfile.frontend -t thrifting-buddy/frontend:latest ./mobile-app
clean
