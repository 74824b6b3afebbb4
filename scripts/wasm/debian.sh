#!/usr/bin/env bash
# Route 3: Debian's own compiler, always in step with its source. Its packages are unpacked into .setup, not installed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

packages=(rustc-web cargo-web rust-web-src wasi-libc lld-19)
base=$setup_dir/wasm-debian
usr=$base/packages/usr
objects=$usr/lib/rustlib/$wasm_target/lib/self-contained

install_hint() {
  note "installing them instead needs root: apt-get install ${packages[*]}"
  exit 1
}

fetch() {
  rm -rf "$base"
  "$root/scripts/apt.sh" update || install_hint
  note "unpacking ${packages[*]} and what they need"
  "$root/scripts/apt.sh" unpack-all "$base/packages" "${packages[@]}" || install_hint
  mkdir -p "$objects"
  cp "$usr"/lib/wasm32-wasi/*.[oa] "$objects/"
}

# Unpacked programs look for their libraries in the system's folders first; this is where theirs are.
libraries() { find "$usr/lib" -maxdepth 4 -name '*.so*' -printf '%h\n' | sort -u | paste -sd:; }

wrap() {
  printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' "$(libraries)" "$2" >"$base/bin/$1"
  chmod +x "$base/bin/$1"
}

if [ ! -f "$base/ready" ]; then
  fetch
  mkdir -p "$base/bin"
  wrap rustc "$usr/bin/rustc"
  wrap cargo "$usr/bin/cargo"
  wrap wasm-ld "$usr/bin/wasm-ld-19"
  "$base/bin/rustc" --version >/dev/null || { note "Debian's compiler does not run unpacked"; install_hint; }
  touch "$base/ready"
fi
note "$("$base/bin/rustc" --version), unpacked in ${base#"$root/"}"

cat >"$1" <<END
export RUSTC='$base/bin/rustc' RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR="\${CARGO_TARGET_DIR:-$root/target}/wasm-debian"
build=('$base/bin/cargo' -Zbuild-std=std,panic_abort --config "target.$wasm_target.linker='$base/bin/wasm-ld'")
END
