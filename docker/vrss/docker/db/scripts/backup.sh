#!/bin/sh
# Backs the database up into BACKUP_DIR. A dump gets its name only when pg_restore has read it whole; old ones go
# only after that, and never the newest.
#   backup.sh          one backup, now
#   backup.sh --loop   one a day, for as long as the service lives
#   backup.sh --check  0 while the newest backup is younger than a day and two hours
# Connects by PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD (or PGPASSWORD_FILE).
set -eu
umask 077

dir=${BACKUP_DIR:-/backups}/scheduled
keep_days=${BACKUP_KEEP_DAYS:-30}
day=86400
retry=300
time6=[0-9][0-9][0-9][0-9][0-9][0-9]
date8=$time6[0-9][0-9]

say() { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*"; }
# Only what this script names is ever looked at or removed; names sort by time.
dumps() { find "$dir" -maxdepth 1 -type f -name "$PGDATABASE-${date8}T${time6}Z.dump" "$@"; }
newest() { dumps 2>/dev/null | sort | tail -n 1; }
age() { echo $(($(date +%s) - $(stat -c %Y "$1"))); }

backup() {
    if ! mkdir -p "$dir" || ! [ -w "$dir" ]; then
        say "cannot write $dir as user $(id -u); give the folder to it, or set HOST_UID and HOST_GID to its owner" >&2
        return 1
    fi
    name=$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump
    partial=$dir/.$name.$$.partial
    pg_dump --format=custom --no-password --file="$partial" &&
        pg_restore --file=/dev/null "$partial" && # decodes every row
        sync "$partial" &&
        [ ! -e "$dir/$name" ] &&
        mv "$partial" "$dir/$name" &&
        sync "$dir" || {
        rm -f "$partial"
        say "the backup failed; nothing was removed" >&2
        return 1
    }
    say "wrote $dir/$name, $(wc -c < "$dir/$name") bytes"
    dumps -mtime "+$keep_days" ! -name "$name" -print -exec rm {} \;
    find "$dir" -maxdepth 1 -type f -name '.*.partial' -mtime +1 -exec rm {} \;
}

if [ -n "${PGPASSWORD_FILE:-}" ]; then
    PGPASSWORD=$(cat "$PGPASSWORD_FILE")
    export PGPASSWORD
fi
: "${PGDATABASE:?is not set}"

case ${1:-} in
    '')
        backup
        ;;
    --check)
        last=$(newest)
        [ -n "$last" ] || { echo "no backup yet"; exit 1; }
        [ "$(age "$last")" -lt $((day + 7200)) ] || { echo "the newest backup is $(age "$last") s old"; exit 1; }
        ;;
    --loop)
        trap 'exit 0' TERM INT
        while :; do
            last=$(newest)
            pause=60
            if [ -z "$last" ] || [ "$(age "$last")" -ge "$day" ]; then
                backup || pause=$retry
            fi
            sleep "$pause" &
            wait $!
        done
        ;;
    *)
        echo "usage: backup.sh [--loop | --check]" >&2
        exit 64
        ;;
esac
