#!/usr/bin/env bash
# Route 1: the compiler's own standard library for wasm32-wasip1, installed by rustup if it is not there yet.
# Writes the environment of the build to the file named by $1; fails when the target cannot be had.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

installed() { compgen -G "$(rustc --print sysroot)/lib/rustlib/$wasm_target/lib/libstd-*.rlib" >/dev/null; }

if installed; then
  note "the target $wasm_target is installed"
else
  have rustup || { note "rustup is not here, and the compiler has no $wasm_target"; exit 1; }
  note "rustup target add $wasm_target (adds to the toolchain in use)"
  rustup target add "$wasm_target" >&2 || { note "rustup could not fetch the target"; exit 1; }
  installed || { note "rustc in PATH is not rustup's, and it has no $wasm_target"; exit 1; }
fi

echo 'build=(cargo)' >"$1"
