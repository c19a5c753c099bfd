#!/bin/sh
# dev-setup.sh
cd "$(dirname "$0")" || exit
exec ${XTASK:-cargo xtask} setup "$@"
