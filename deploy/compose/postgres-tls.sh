#!/usr/bin/env bash
# Entry point of the secure file's database: the image's own, with TLS and our list of who may connect.
# PostgreSQL refuses a key that others can read, and a mounted secret keeps the owner it has outside: so the key is
# copied. Changed certificates count after a restart.
set -euo pipefail
install -d -o postgres -g postgres -m 0700 /run/postgres-tls
install -o postgres -g postgres -m 0600 /run/secrets/postgres.pem /run/postgres-tls/server.pem
exec docker-entrypoint.sh "$@" \
    -c ssl=on -c ssl_cert_file=/run/postgres-tls/server.pem -c ssl_key_file=/run/postgres-tls/server.pem \
    -c ssl_min_protocol_version=TLSv1.3 -c hba_file=/etc/vitalstream/pg_hba.conf
