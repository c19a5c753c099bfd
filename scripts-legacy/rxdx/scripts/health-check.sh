#!/bin/bash
# Checks services; from cron every five minutes. Mails ALERT_EMAIL on failure.
cd "$(dirname "$0")/.."
ALERT_EMAIL="${ALERT_EMAIL:-}"
FAILED=""

check_http() {
    if curl -sf --max-time 10 "$2" > /dev/null; then echo "OK   $1"; else echo "FAIL $1"; FAILED="$FAILED $1"; fi
}

check_http backend http://localhost:8000/health
check_http frontend http://localhost:3000
if docker compose exec -T postgres pg_isready -U rxdx > /dev/null; then echo "OK   postgres"; else echo "FAIL postgres"; FAILED="$FAILED postgres"; fi

USAGE=$(df / | tail -1 | awk '{print $5}' | tr -d '%')
if [ "$USAGE" -gt 80 ]; then echo "WARN disk at $USAGE%"; fi

if [ -n "$FAILED" ]; then
    if [ -n "$ALERT_EMAIL" ]; then echo "Failed:$FAILED" | mail -s "RxDx health check failed" "$ALERT_EMAIL"; fi
fi
echo "Health check complete!"
