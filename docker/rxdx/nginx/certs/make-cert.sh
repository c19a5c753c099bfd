#!/bin/sh
# Puts a certificate where nginx looks for it: the given one (nginx/ssl), else a self-signed one made here. Run again, it
# takes up a renewed one and leaves a good one alone.
set -eu
umask 077
given=/mnt/given into=/etc/nginx/tls
domain=${DOMAIN:-localhost}

fail() { echo "$*" >&2; exit 1; }

# The key first; nginx looks each second and tests what it finds before it takes it up.
publish() {
    for file in privkey.pem fullchain.pem; do
        cp "$1/$file" "$into/$file.new"
        mv "$into/$file.new" "$into/$file"
    done
}

if [ -e $given/fullchain.pem ] || [ -e $given/privkey.pem ]; then
    for file in fullchain.pem privkey.pem; do
        [ -e $given/$file ] || fail "nginx/ssl must hold both fullchain.pem and privkey.pem"
        [ -r $given/$file ] || fail "user $(id -u) may not read nginx/ssl/$file: \`setfacl -m u:$(id -u):r $file\` gives it the right"
    done
    openssl x509 -in $given/fullchain.pem -noout -checkend 0 || fail "the certificate in nginx/ssl has ended"
    [ "$(openssl x509 -in $given/fullchain.pem -noout -pubkey)" = "$(openssl pkey -in $given/privkey.pem -pubout)" ] ||
        fail "the key in nginx/ssl is not the certificate's"
    publish $given
    echo "using the given certificate"
    exit
fi

if [ -e $into/fullchain.pem ] && [ -e $into/privkey.pem ] &&
    openssl x509 -in $into/fullchain.pem -noout -checkend 2592000 >/dev/null &&
    openssl x509 -in $into/fullchain.pem -noout -ext subjectAltName | grep -qF "DNS:$domain,"; then
    echo "keeping the certificate of $domain"
    exit
fi

made=$(mktemp -d)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=$domain" \
    -addext "subjectAltName=DNS:$domain,DNS:localhost,IP:127.0.0.1" \
    -keyout "$made/privkey.pem" -out "$made/fullchain.pem" 2>/dev/null
publish "$made"
echo "made a self-signed certificate for $domain; browsers will warn"
