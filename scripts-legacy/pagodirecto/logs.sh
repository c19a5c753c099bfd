#!/bin/bash
# logs.sh [service] [-f] [lines]
source "$(dirname "$0")/common.sh"
SERVICE=""; FOLLOW=""; TAIL=100
for arg in "$@"; do
    case $arg in
        -f|--follow) FOLLOW="-f" ;;
        --tail=*) TAIL="${arg#*=}" ;;
        [0-9]*) TAIL="$arg" ;;
        *) SERVICE="$arg" ;;
    esac
done
docker compose logs $FOLLOW --tail=$TAIL $SERVICE
