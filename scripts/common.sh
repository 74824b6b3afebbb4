# Sourced by the shell scripts: where the project is, where set-up goes, and how a script speaks.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
setup_dir=$root/.setup
wasm_target=wasm32-wasip1

say() { printf '\033[1m==>\033[0m %s\n' "$*" | plain >&2; }
note() { printf '    %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
  exit 1
}

# Escape codes are for people: they are dropped when nobody looks at a terminal.
plain() { if [ -t 2 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }

have() { command -v "$1" >/dev/null 2>&1; }
