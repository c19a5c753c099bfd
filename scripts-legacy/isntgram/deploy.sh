#!/bin/bash
# The deploy phase of the pipeline: approve, connect, pull, update, check, roll back.
# SSH is the command that reaches the server; here `sh -c` will do.
set -e
SSH="${SSH:-ssh deploy@example.com}"
FILE=docker-compose.prod.yml

if [ "$APPROVED" != yes ]; then
    read -p "Deploy to production? (yes/no) " ANSWER
    [ "$ANSWER" = yes ] || exit 1
fi

$SSH "docker compose -f $FILE pull"
$SSH "docker compose -f $FILE up -d"
sleep 10
if ! $SSH "curl -f http://localhost:3001/health"; then
    echo "Health check failed, rolling back"
    # `latest` is what was just pulled: the same images come up again.
    $SSH "docker compose -f $FILE down && docker compose -f $FILE up -d"
fi
echo "Deployment complete"
