#!/bin/sh
# health-check.sh
cd "$(dirname "$0")" || exit
exec ${XTASK:-cargo xtask} health "$@"
