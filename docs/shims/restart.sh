#!/bin/sh
# restart.sh [service...] [profile]
cd "$(dirname "$0")" || exit
profile=
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    case $word in
        production | prod | development | dev | staging | testing | test) profile=$word ;;
        *) set -- "$@" "$word" ;;
    esac
    left=$((left - 1))
done
exec ${XTASK:-cargo xtask} ${profile:+-e "$profile"} restart "$@"
