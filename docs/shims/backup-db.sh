#!/bin/sh
# backup-db.sh [name]
cd "$(dirname "$0")" || exit
exec ${XTASK:-cargo xtask} db-backup ${1:+--name "$1"}
