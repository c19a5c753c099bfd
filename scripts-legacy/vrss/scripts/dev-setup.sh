#!/bin/bash
# One-command setup of the development environment.
set -e

GREEN='\033[0;32m'
RED='\033[0;31m'
NC='\033[0m'

cd "$(dirname "$0")/.."

echo "VRSS development setup"
echo "======================"

# Prerequisites
if ! command -v docker &> /dev/null; then
    echo -e "${RED}Docker is not installed${NC}"
    exit 1
fi
if ! docker compose version &> /dev/null; then
    echo -e "${RED}Docker Compose is not installed${NC}"
    exit 1
fi

# Environment
if [ ! -f .env ]; then
    cp .env.example .env
    # Secrets, so that the stack starts.
    sed -i "s/^DB_PASSWORD=.*/DB_PASSWORD=$(openssl rand -base64 32 | tr -d '/+=')/" .env
    sed -i "s/^JWT_SECRET=.*/JWT_SECRET=$(openssl rand -hex 64)/" .env
    echo -e "${GREEN}Created .env${NC}"
else
    echo ".env exists, leaving it as it is"
fi

mkdir -p backups logs storage/media

echo "Building images..."
docker compose build

echo "Starting services..."
docker compose up -d

echo "Waiting for the database..."
sleep 10
docker compose exec -T db pg_isready -U vrss_user -d vrss || echo -e "${RED}The database is not ready yet${NC}"

echo -e "${GREEN}Setup complete!${NC}"
echo "Frontend: http://localhost:5173"
echo "Backend:  http://localhost:3000"
