#!/bin/sh
# Starts Vite. The volume at /app/node_modules outlives the image, so it is filled anew when the image has other
# modules. The lockfile that npm leaves inside tells; it is copied last, so that a copy cut short is seen.
set -eu
from=/opt/node_modules to=/app/node_modules lock=.package-lock.json
if ! cmp -s "$from/$lock" "$to/$lock"; then
    echo "filling node_modules from the image"
    rm -f "$to/$lock"
    find "$to" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
    find "$from" -mindepth 1 -maxdepth 1 ! -name "$lock" -exec cp -R {} "$to/" \;
    cp "$from/$lock" "$to/$lock"
fi
exec node_modules/.bin/vite
