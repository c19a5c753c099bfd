#!/bin/sh
# backup.sh: the database, the volumes and the files of [backup], as one set
cd "$(dirname "$0")" || exit
exec ${XTASK:-cargo xtask} backup "$@"
