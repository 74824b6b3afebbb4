#!/usr/bin/env bash
# Fetches Debian packages and unpacks them into a directory: no root, nothing installed, the machine's apt untouched.
#   apt.sh update [SUITE]               reads the package lists, of SUITE too, from the machine's own mirror
#   apt.sh versions PACKAGE             prints the versions to be had, newest first
#   apt.sh unpack DIR PACKAGE[=VER]...  unpacks exactly these; `unpack-all` brings missing dependencies along
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

have apt-get && have dpkg-deb || die "this needs a Debian or Ubuntu (apt-get and dpkg-deb are not here)."

apt_dir=$setup_dir/apt
mkdir -p "$apt_dir"/{lists,cache}/partial "$apt_dir"/{cache/archives/partial,sources.list.d}

# The machine's configuration and keys, with our own lists, cache and one more source file.
options=(
  -o Dir::State::Lists="$apt_dir/lists"
  -o Dir::Cache="$apt_dir/cache"
  -o Dir::Cache::Archives="$apt_dir/cache/archives"
  -o Dir::Etc::SourceParts="$apt_dir/sources.list.d"
  -o APT::Sandbox::User=root
  -o Debug::NoLocking=1
  -o APT::Keep-Downloaded-Packages=true
  -o APT::Update::Post-Invoke::=true
  -o Acquire::Languages=none
  -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
)

link_sources() {
  find "$apt_dir/sources.list.d" -type l -delete
  find /etc/apt/sources.list.d -maxdepth 1 \( -name '*.list' -o -name '*.sources' \) \
    -exec ln -s {} "$apt_dir/sources.list.d/" \;
}

# Adds SUITE at the mirror that serves this machine's own release, checked with that release's keys.
add_suite() {
  local suite=$1 codename mirror signed_by keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  mirror=$(apt-get "${options[@]}" indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk -v release="$codename" '$2 == release { print $1; exit }')
  [ -n "$mirror" ] || return 1
  signed_by=""
  [ ! -f "$keyring" ] || signed_by="[signed-by=$keyring] "
  echo "deb ${signed_by}${mirror} $suite main" >"$apt_dir/sources.list.d/suite-$suite.list"
}

update() {
  link_sources
  apt-get "${options[@]}" update -q >&2
  [ $# -gt 0 ] || return 0
  if ! add_suite "$1" || ! apt-get "${options[@]}" --error-on=any update -q >&2; then
    note "the suite $1 cannot be read from this machine's mirror; going on without it"
    rm -f "$apt_dir/sources.list.d/suite-$1.list"
  fi
}

unpack() {
  local mode=$1 directory=$2 archive staging
  shift 2
  staging=$(mktemp -d "$apt_dir/unpack.XXXXXX")
  if [ "$mode" = one ]; then
    (cd "$staging" && apt-get "${options[@]}" -q download "$@" >&2)
  else
    apt-get "${options[@]}" -o Dir::Cache::Archives="$staging" -q -y --no-install-recommends --download-only \
      install "$@" >&2
  fi
  mkdir -p "$directory"
  for archive in "$staging"/*.deb; do
    note "unpacking $(basename "$archive")"
    dpkg-deb -x "$archive" "$directory"
  done
  rm -rf "$staging"
}

case ${1:-} in
  update) shift && update "$@" ;;
  versions) apt-cache "${options[@]}" madison "$2" | awk -F'|' '$3 ~ /Packages/ { gsub(/ /, "", $2); print $2 }' | sort -Vru ;;
  unpack) shift && unpack one "$@" ;;
  unpack-all) shift && unpack all "$@" ;;
  *) die "usage: apt.sh update [SUITE] | versions PACKAGE | unpack[-all] DIRECTORY PACKAGE..." ;;
esac
