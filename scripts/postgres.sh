#!/usr/bin/env bash
# Runs a command beside a PostgreSQL of its own, which it finds in FIRSTSIGHT_POSTGRES as a URL without a database; the psql
# that goes with it is in FIRSTSIGHT_PSQL.
#   postgres.sh COMMAND...
# If openssl is there to make it a certificate, it takes TLS too, and FIRSTSIGHT_POSTGRES_CA is the file with its root.
# The server is the machine's, or what `setup.py postgres` unpacked. It lives in a temporary folder and on a free port of
# loopback, trusts everybody there, never waits for the disk, and is gone when the command ends.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

programs() {
  local folder
  for folder in /usr/lib/postgresql/*/bin "$setup_dir"/postgres/usr/lib/postgresql/*/bin; do
    [ ! -x "$folder/postgres" ] || echo "$folder"
  done | sort -V | tail -n 1
}

bin=$(programs)
[ -n "$bin" ] || die "there is no PostgreSQL: scripts/setup.py postgres"
case $bin in
  "$setup_dir"/*) export LD_LIBRARY_PATH=$(find "$setup_dir/postgres/usr/lib" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:) ;;
esac

# PostgreSQL refuses to run as root.
as=()
[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid nobody --regid nogroup --clear-groups)

folder=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || { kill -INT "$server" && wait "$server"; } 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
[ ${#as[@]} -eq 0 ] || chown nobody:nogroup "$folder"

cd "$folder"
"${as[@]}" "$bin/initdb" -D "$folder/data" -U firstsight -A trust -E UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2 && die "PostgreSQL cannot be set up here."; }

tls=()
ca=
if "${as[@]}" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
  -keyout "$folder/server.key" -out "$folder/server.crt" 2>/dev/null; then
  ca=$folder/server.crt
  chmod 600 "$folder/server.key"
  chmod 711 "$folder"
  tls=(-c ssl=on -c "ssl_cert_file=$ca" -c "ssl_key_file=$folder/server.key")
fi

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${as[@]}" "$bin/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c fsync=off -c max_connections=500 "${tls[@]}" >"$folder/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  ! grep -qs 'ready to accept connections' "$folder/server.log" || break
  kill -0 "$server" 2>/dev/null || { cat "$folder/server.log" >&2 && die "PostgreSQL does not run here."; }
  sleep 0.1
done

printf '#!/bin/bash\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "${LD_LIBRARY_PATH-}" "$bin/psql" >"$folder/psql"
chmod +x "$folder/psql"

cd "$root"
unset LD_LIBRARY_PATH
FIRSTSIGHT_POSTGRES=postgres://firstsight@127.0.0.1:$port FIRSTSIGHT_POSTGRES_CA=$ca FIRSTSIGHT_PSQL=$folder/psql "$@"
