#!/bin/sh
# logs.sh [service] [-f] [N]
cd "$(dirname "$0")" || exit
left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    shift
    case $word in
        -f) set -- "$@" --follow ;;
        '' | *[!0-9]*) set -- "$@" "$word" ;;
        *) set -- "$@" --tail "$word" ;;
    esac
    left=$((left - 1))
done
exec ${XTASK:-cargo xtask} logs "$@"
