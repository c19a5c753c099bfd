#!/bin/bash
# Checks the health of all services.
set -e

GREEN='\033[0;32m'
RED='\033[0;31m'
NC='\033[0m'
FAILED=0

ok()   { echo -e "${GREEN}✓${NC} $1"; }
fail() { echo -e "${RED}✗${NC} $1"; FAILED=$((FAILED + 1)); }

echo "Containers"
for service in db backend frontend; do
    if docker compose ps "$service" | grep -q "Up"; then ok "$service is running"; else fail "$service is not running"; fi
done

echo "Database"
docker compose exec -T db pg_isready -U vrss_user
ok "PostgreSQL accepts connections"

echo "Endpoints"
curl -sf http://localhost:3000/health > /dev/null
ok "backend answers"
curl -sf http://localhost:5173 > /dev/null
ok "frontend answers"

echo "Disk"
docker system df

if [ $FAILED -gt 0 ]; then
    echo "$FAILED checks failed"
    exit 1
fi
echo "All systems healthy!"
