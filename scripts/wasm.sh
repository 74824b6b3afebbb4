#!/usr/bin/env bash
# Builds the module, dist/firstsight.wasm, by the first of three routes that this machine allows (scripts/wasm/).
#   wasm.sh [PACKAGE FILE]   builds another package of the workspace, to another file
# FIRSTSIGHT_WASM_ROUTE=rustup|source|debian forces one.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

have cargo && have rustc || die "there is no Rust here." \
  "Install rustup (its home page has the one-line command), open a new shell, and run this again."

package=${1:-firstsight}
module=${2:-dist/firstsight.wasm}

started=$SECONDS
plan=$(mktemp)
trap 'rm -f "$plan"' EXIT

describe() {
  case $1 in
    rustup) echo "rustup's standard library for $wasm_target" ;;
    source) echo "standard library from source, same compiler" ;;
    debian) echo "Debian's own compiler and its source" ;;
    *) die "FIRSTSIGHT_WASM_ROUTE=$1 is not a route; it is rustup, source or debian." ;;
  esac
}

try() {
  say "module, route '$1': $(describe "$1")"
  "scripts/wasm/$1.sh" "$plan"
}

if [ -n "${FIRSTSIGHT_WASM_ROUTE:-}" ]; then
  describe "$FIRSTSIGHT_WASM_ROUTE" >/dev/null
  try "$FIRSTSIGHT_WASM_ROUTE" || die "route '$FIRSTSIGHT_WASM_ROUTE' was asked for and is not possible here (reason above)." \
    "Unset FIRSTSIGHT_WASM_ROUTE to let this script choose."
else
  try rustup || try source || try debian || die "this machine allows none of the three routes (reasons above)." \
    "The usual way: with a network that reaches rustup's server, run: rustup target add $wasm_target"
fi

# Each route leaves its environment and the command as `build`.
. "$plan"

# The module holds the places of panics. They are named alike wherever it is built, so that two builds are the same file.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
cargo fetch --locked --quiet
flags=(--remap-path-prefix="$root"=/firstsight --remap-path-prefix="$setup_dir"=/setup)
for sources in "$cargo_home"/registry/src/*; do flags+=(--remap-path-prefix="$sources"=/crates); done
flags+=(--remap-path-prefix="$(rustc --print sysroot)"=/rust)
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' "${flags[@]}" | sed 's/\x1f$//')
export CARGO_ENCODED_RUSTFLAGS

"${build[@]}" rustc --package "$package" --lib --crate-type cdylib --profile wasm --target "$wasm_target" --locked

mkdir -p "$(dirname "$module")"
cp "${CARGO_TARGET_DIR:-target}/$wasm_target/wasm/${package//-/_}.wasm" "$module.new"
[ "$package" != firstsight ] || python3 scripts/wasm-exports.py "$module.new" "$module.new"
python3 scripts/wasm-imports.py "$module.new"
mv "$module.new" "$module"
say "$module in $((SECONDS - started)) s"
