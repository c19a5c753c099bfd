#!/bin/bash
# deploy.sh [env]
set -e
cd "$(dirname "$0")/.."
ENVIRONMENT="${1:-production}"

echo "Deploying to $ENVIRONMENT..."
if [ ! -f ".env.$ENVIRONMENT" ]; then echo "No .env.$ENVIRONMENT"; exit 1; fi

git pull origin main
./scripts/backup.sh

docker compose -f docker-compose.yml -f docker-compose.prod.yml build
docker compose -f docker-compose.yml -f docker-compose.prod.yml down
docker compose -f docker-compose.yml -f docker-compose.prod.yml up -d

echo "Waiting for services..."
sleep 10
docker compose exec -T backend alembic upgrade head

./scripts/health-check.sh || echo "Health check failed, see the logs"
echo "Deployment complete!"
