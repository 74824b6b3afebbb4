#!/usr/bin/env bash
# Route 2: the compiler in use, with the standard library built from the source Debian packages for its exact version.
# The toolchain is not touched: the compiler is shown a sysroot in .setup that links to its own and adds what is missing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

# A suite that is likely to carry the source of a recent compiler.
suite=${FIRSTSIGHT_RUST_SRC_SUITE:-trixie-backports}

field() { rustc -vV | sed -n "s/^$1: //p"; }
version=$(field release)
host=$(field host)
real=$(rustc --print sysroot)
base=$setup_dir/wasm-source/$version
sysroot=$base/sysroot

fetch() {
  "$root/scripts/apt.sh" update "$suite"
  local package
  package=$("$root/scripts/apt.sh" versions rust-src | awk -v v="$version" 'index($0, v "+") == 1 { print; exit }')
  [ -n "$package" ] || { note "no package rust-src of version $version in $suite"; return 1; }
  "$root/scripts/apt.sh" unpack "$base/packages" "rust-src=$package" wasi-libc
}

# Paths inside are relative to the real toolchain or to .setup; the wrapper is what cargo calls as rustc.
assemble() {
  local library objects=$sysroot/lib/rustlib/$wasm_target/lib/self-contained
  library=$(find "$base/packages/usr/src" -maxdepth 2 -type d -name library -path '*/rustc-*' | head -n 1)
  [ -n "$library" ] || { note "rust-src $version holds no library folder"; return 1; }
  rm -rf "$sysroot"
  mkdir -p "$sysroot/lib/rustlib/src/rust" "$objects"
  ln -s "$real/lib/rustlib/$host" "$sysroot/lib/rustlib/$host"
  ln -s "$library" "$sysroot/lib/rustlib/src/rust/library"
  cp "$base"/packages/usr/lib/wasm32-wasi/*.[oa] "$objects/"
  printf '#!/bin/sh\nexec "%s/bin/rustc" --sysroot "%s" "$@"\n' "$real" "$sysroot" >"$base/rustc"
  chmod +x "$base/rustc"
}

if [ ! -f "$base/ready" ] || [ "$(cat "$base/ready")" != "$real" ]; then
  fetch
  assemble
  echo "$real" >"$base/ready"
fi
note "rustc $version with its library's source in ${sysroot#"$root/"}"

cat >"$1" <<END
export RUSTC='$base/rustc' RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR="\${CARGO_TARGET_DIR:-$root/target}/wasm-source"
build=(cargo -Zbuild-std=std,panic_abort)
END
