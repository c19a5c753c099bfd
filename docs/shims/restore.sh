#!/bin/sh
# restore.sh <date>
cd "$(dirname "$0")" || exit
[ $# -eq 1 ] || { echo "usage: restore.sh <date>" >&2; exit 64; }
exec ${XTASK:-cargo xtask} restore "$1"
