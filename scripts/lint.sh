#!/usr/bin/env bash
# Formatting and lints: the workspace on this machine's target, and the library on the module's.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

run() {
  say "$*"
  "$@"
}

run cargo fmt --all --check
run cargo fmt --manifest-path fuzz/Cargo.toml --check
run cargo clippy --locked --workspace --all-targets -- -D warnings
# A test that runs only by name is not among `--all-targets`.
run cargo clippy --locked --workspace --test envoy -- -D warnings

if compgen -G "$(rustc --print sysroot)/lib/rustlib/$wasm_target/lib/libstd-*.rlib" >/dev/null; then
  run cargo clippy --locked --lib --package firstsight --package firstsight-verdicts --target "$wasm_target" -- -D warnings
else
  say "not linted for $wasm_target: this toolchain does not have the target (rustup target add $wasm_target)"
fi

say "scripts"
for script in scripts/*.sh scripts/*/*.sh scripts/*/*/*.sh .ci/run; do bash -n "$script"; done
PYTHONPATH=scripts python3 -B -m doctest scripts/measure/spread.py scripts/arrive/{client,figures}.py scripts/keep/people.py
python3 - scripts/*.py scripts/*/*.py <<'END'
import ast, pathlib, sys
for path in sys.argv[1:]:
    ast.parse(pathlib.Path(path).read_text(), path)
END
