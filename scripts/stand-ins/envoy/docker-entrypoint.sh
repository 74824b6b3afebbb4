#!/bin/sh
# What the official entrypoint does: as root it becomes the user envoy; as anybody else it stays who it is.
set -e
case "$1" in -*) set -- envoy "$@" ;; esac
if [ "$(id -u)" = 0 ]; then
  exec setpriv --reuid=101 --regid=101 --clear-groups "$@"
fi
exec "$@"
