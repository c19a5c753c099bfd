#!/bin/sh
# stop.sh
cd "$(dirname "$0")" || exit
exec ${XTASK:-cargo xtask} stop
