#!/bin/sh
# Chooses the site, keeps the log files short, and becomes nginx.
set -eu
suffix=
[ "${HTTPS_PORT:-443}" = 443 ] || suffix=":$HTTPS_PORT"
cat > /tmp/runtime.conf <<EOF
map \$host \$https_port_suffix { default "$suffix"; }
include /etc/nginx/sites/${SITE:?is not set}.conf;
EOF
nginx -t -q

# 10 MB × 3, as for the container's own log; and a certificate that was replaced is taken up.
housekeeping() {
    seen=$(cat /etc/nginx/tls/* 2>/dev/null | cksum)
    while sleep 60; do
        for log in /var/log/nginx/access.log /var/log/nginx/error.log; do
            [ "$(wc -c < "$log")" -gt 10485760 ] || continue
            [ ! -e "$log.1" ] || mv "$log.1" "$log.2"
            mv "$log" "$log.1"
            nginx -s reopen
        done
        now=$(cat /etc/nginx/tls/* 2>/dev/null | cksum)
        [ "$now" = "$seen" ] || { seen=$now; nginx -t -q && nginx -s reload; }
    done
}
housekeeping &

exec nginx -g 'daemon off;'
