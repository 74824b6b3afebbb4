#!/usr/bin/env bash
# Images under the official names for where none can be pulled, so that envoy/compose.yaml and its Dockerfiles run as they
# are: of Debian (debootstrap, hence root), Envoy from PyPI, Keycloak from Maven Central, this machine's Rust. For trials and
# tests only. What is there already is left alone.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"
here=$root/scripts/stand-ins
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The name that the files say, of an image that is called something like this.
files=("$root"/envoy/compose.yaml "$root"/envoy/compose/keycloak.Dockerfile "$root"/companion/Dockerfile)
image() { grep -hoE "$1:[A-Za-z0-9._-]+" "${files[@]}" | head -n 1; }

missing() { ! docker image inspect "$1" >/dev/null 2>&1; }

build() { say "stand-in: $2"; docker build --quiet --tag "$2" "$scratch/$1"; }

debian=$(image debian)
if missing "$debian"; then
  have debootstrap || die "there is no debootstrap" "on Debian and Ubuntu: apt install debootstrap"
  say "stand-in: $debian"
  debootstrap --variant=minbase "$(echo "$debian" | sed 's/.*:\(.*\)-slim/\1/')" "$scratch/debian" >"$scratch/log" || { tail "$scratch/log"; exit 1; }
  rm -rf "$scratch"/debian/var/{lib/apt/lists,cache/apt}/*
  tar -C "$scratch/debian" --create . | docker import - "$debian"
fi

envoy=$(image envoyproxy/envoy)
if missing "$envoy"; then
  python3 "$root/scripts/setup.py" envoy
  cp -R "$here/envoy" "$scratch"
  cp -L "$root/.setup/bin/envoy" "$scratch/envoy/envoy"
  build envoy "$envoy"
fi

keycloak=$(image quay.io/keycloak/keycloak)
if missing "$keycloak"; then
  distribution=$("$root/scripts/keycloak.sh")
  cp -R "$here/keycloak" "$scratch"
  cp -R "$distribution" "$scratch/keycloak/keycloak"
  build keycloak "$keycloak"
fi

postgres=$(image postgres)
if missing "$postgres"; then
  cp -R "$here/postgres" "$scratch"
  build postgres "$postgres"
fi

rust=$(image rust)
if missing "$rust" && missing "$(image firstsight/companion)"; then
  cp -R "$here/rust" "$scratch"
  cargo fetch --locked --manifest-path "$root/Cargo.toml"
  mkdir "$scratch/rust/toolchain"
  tar -C "$(rustc --print sysroot)" --exclude=share --exclude='lib/rustlib/wasm*' --create . | tar -C "$scratch/rust/toolchain" --extract
  mkdir "$scratch/rust/registry"
  cp -R "${CARGO_HOME:-$HOME/.cargo}"/registry/{index,cache} "$scratch/rust/registry"
  build rust "$rust"
fi
