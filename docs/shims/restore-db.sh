#!/bin/sh
# restore-db.sh <name>
cd "$(dirname "$0")" || exit
[ $# -eq 1 ] || { echo "usage: restore-db.sh <name>" >&2; exit 64; }
exec ${XTASK:-cargo xtask} db-restore "$1"
