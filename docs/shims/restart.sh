#!/bin/sh
# restart.sh [service]
cd "$(dirname "$0")" || exit
exec ${XTASK:-cargo xtask} restart "$@"
