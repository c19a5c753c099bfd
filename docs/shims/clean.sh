#!/bin/sh
# clean.sh [--all] [--volumes] [--force]
cd "$(dirname "$0")" || exit
for word; do
    shift
    [ "$word" != --force ] || word=--yes
    set -- "$@" "$word"
done
exec ${XTASK:-cargo xtask} clean "$@"
