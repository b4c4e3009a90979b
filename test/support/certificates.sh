#!/bin/sh
# Makes certificates, each as NAME.pem with its key in NAME.key: certificates.sh FOLDER
#   root    an authority, which has issued the others
#   server  for localhost, 127.0.0.1 and ::1; rsa is the like with an RSA key
#   other   for other.example
#   client  for a client
#   stranger  signed by itself
set -eu
cd "$1"

make() {
    name=$1
    shift
    openssl req -x509 -nodes -days 100 -keyout "$name.key" -out "$name.pem" "$@" 2>openssl.log || { cat openssl.log >&2; exit 1; }
}
p256='-newkey ec -pkeyopt ec_paramgen_curve:P-256'
issued='-CA root.pem -CAkey root.key -addext basicConstraints=critical,CA:FALSE -addext crlDistributionPoints=URI:http://crl.example/'
names='subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'

# The variables hold several arguments each.
# shellcheck disable=SC2086
{
    make root $p256 -subj '/CN=Test Root' -addext keyUsage=critical,keyCertSign,cRLSign
    make server $p256 $issued -subj /CN=localhost -addext "$names"
    make rsa -newkey rsa:2048 $issued -subj /CN=localhost -addext "$names"
    make other $p256 $issued -subj /CN=other.example -addext subjectAltName=DNS:other.example
    make client $p256 $issued -subj /CN=client -addext extendedKeyUsage=clientAuth
    make stranger $p256 -subj /CN=stranger -addext basicConstraints=CA:FALSE
}
