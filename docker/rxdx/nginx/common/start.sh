#!/bin/sh
# Tells nginx of all back ends, becomes it, and tells it anew whenever they are others: after `scale`, or when a container was
# replaced. nginx itself asks for a name only once.
set -eu

addresses() { getent hosts "$1" | cut -d' ' -f1 | sort -u; }

runtime() {
    echo 'upstream backend {'
    echo '    least_conn;'
    echo '    zone backend 64k;'
    if [ -n "$1" ]; then
        for address in $1; do echo "    server $address:8000 max_fails=1 fail_timeout=2s;"; done
    else
        echo '    server 127.0.0.1:1 down;'
    fi
    echo '    keepalive 16;'
    echo '}'
    echo "upstream frontend { server ${2:-127.0.0.1}:${FRONTEND_UPSTREAM#*:}; }"
    suffix=
    [ "${HTTPS_PORT:-443}" = 443 ] || suffix=":$HTTPS_PORT"
    echo "map \$host \$https_port_suffix { default '$suffix'; }"
    # The API's own page of documentation is the one that takes its scripts from elsewhere.
    own="default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    echo "map \$uri \$content_security_policy {"
    echo "    default \"$own\";"
    echo "    =/api/docs \"$own; script-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net\";"
    echo '}'
}

backends=$(addresses backend) frontends=$(addresses "${FRONTEND_UPSTREAM%:*}" | head -n 1)
certificate=$(cksum /etc/nginx/tls/*.pem)
mkdir -p /tmp/nginx
runtime "$backends" "$frontends" > /tmp/nginx/runtime.conf
nginx -t -q

watch() {
    while sleep 1; do
        now_backends=$(addresses backend) || true
        now_frontends=$(addresses "${FRONTEND_UPSTREAM%:*}" | head -n 1) || true
        now_certificate=$(cksum /etc/nginx/tls/*.pem) || continue
        # A name that is not known for a moment is no reason to forget what was.
        [ -n "$now_backends" ] && [ -n "$now_frontends" ] || continue
        [ "$now_backends$now_frontends$now_certificate" != "$backends$frontends$certificate" ] || continue
        backends=$now_backends frontends=$now_frontends certificate=$now_certificate
        runtime "$backends" "$frontends" > /tmp/nginx/runtime.new
        mv /tmp/nginx/runtime.new /tmp/nginx/runtime.conf
        nginx -t -q && nginx -s reload
    done
}
watch &

exec nginx -g 'daemon off;'
