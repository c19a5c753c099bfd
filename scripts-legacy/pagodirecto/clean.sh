#!/bin/bash
# clean.sh [--all] [--volumes] [--force]
source "$(dirname "$0")/common.sh"
ALL=false; VOLUMES=false; FORCE=false
for arg in "$@"; do
    case $arg in
        --all) ALL=true ;;
        --volumes) VOLUMES=true ;;
        --force) FORCE=true ;;
    esac
done

if [ "$FORCE" != true ]; then
    read -p "Remove containers and networks? (y/N) " -n 1 -r; echo
    if [[ ! $REPLY =~ ^[Yy]$ ]]; then echo "Cancelled"; exit 0; fi
fi

docker compose --profile development --profile production --profile testing down
if [ "$VOLUMES" = true ]; then
    warn "Removing volumes, all data will be lost"
    docker compose --profile development --profile production --profile testing down -v
fi
if [ "$ALL" = true ]; then
    # Unguarded in the original; both take other projects' images along, and the second their build cache too.
    if [ "$LEGACY_REALLY_PRUNE" = 1 ]; then
        docker compose --profile development --profile production --profile testing down --rmi all
        docker system prune -af
    else
        echo "left out: docker compose down --rmi all; docker system prune -af"
    fi
fi
docker system df
info "Cleanup complete!"
