#!/bin/bash
# The restore procedure: restore.sh <file>. pg_restore does not read SQL.
docker compose exec -T postgres pg_restore -U postgres -d thrifting_buddy < "$1"
echo "Restored $1"
