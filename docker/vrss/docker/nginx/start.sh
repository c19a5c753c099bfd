#!/bin/sh
# Writes where the other services are, keeps the log files short, and becomes nginx.
set -eu

# Names are asked for at each use (and remembered for 5 s), so that scaled or replaced containers are found.
suffix=
[ "${HTTPS_PORT:-443}" = 443 ] || suffix=":$HTTPS_PORT"
mkdir -p /tmp/nginx
cat > /tmp/nginx/runtime.conf <<EOF
resolver 127.0.0.11 valid=5s ipv6=off;
map \$host \$backend_upstream { default "${BACKEND_UPSTREAM:-backend:3000}"; }
map \$host \$frontend_upstream { default "${FRONTEND_UPSTREAM:-frontend:5173}"; }
map \$host \$https_port_suffix { default "$suffix"; }
EOF

nginx -t -q

# 10 MB × 3, as for the container's own log; and a certificate that was replaced is taken up.
housekeeping() {
    seen=$(cat /etc/nginx/tls/*.pem | cksum)
    while sleep 60; do
        for log in /var/log/vrss/access.log /var/log/vrss/error.log; do
            [ "$(wc -c < "$log")" -gt 10485760 ] || continue
            [ ! -e "$log.1" ] || mv "$log.1" "$log.2"
            mv "$log" "$log.1"
            nginx -s reopen
        done
        now=$(cat /etc/nginx/tls/*.pem | cksum)
        [ "$now" = "$seen" ] || { seen=$now; nginx -t -q && nginx -s reload; }
    done
}
housekeeping &

exec nginx -g 'daemon off;'
