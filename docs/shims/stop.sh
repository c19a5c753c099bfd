#!/bin/sh
# stop.sh [profile]
cd "$(dirname "$0")" || exit
exec ${XTASK:-cargo xtask} ${1:+-e "$1"} stop
