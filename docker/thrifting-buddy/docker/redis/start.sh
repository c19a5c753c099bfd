#!/bin/sh
# Sessions survive a restart: each write is logged, and synced every second. The password comes by the environment and
# goes into a file in memory, so that no process list shows it.
set -eu
umask 077
cat > /tmp/redis.conf <<EOF
bind * -::*
protected-mode no
dir /data
appendonly yes
appendfsync everysec
save 300 1
maxmemory 96mb
maxmemory-policy volatile-lru
requirepass ${REDIS_PASSWORD:?is not set}
EOF
unset REDIS_PASSWORD REDISCLI_AUTH
exec redis-server /tmp/redis.conf
