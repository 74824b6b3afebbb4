#!/usr/bin/env bash
# Keycloak's distribution of the version that envoy/compose.yaml runs, from Maven Central; says in which folder it is. Wants
# Maven, and Java, to fetch it and to run it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=$(sed -n 's/^FROM .*keycloak:\([0-9.]*\)$/\1/p' "$root/envoy/compose/keycloak.Dockerfile")
folder=$setup_dir/keycloak-$version
have java || die "Keycloak runs on Java, which is not here" "on Debian and Ubuntu: apt install maven, which brings it"
if [ ! -d "$folder" ]; then
  have mvn || die "Keycloak is fetched with Maven, which is not here" "on Debian and Ubuntu: apt install maven"
  say "Keycloak $version (Maven Central, 170 MB)"
  mkdir -p "$setup_dir/fetched"
  mvn --quiet --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    "-Dartifact=org.keycloak:keycloak-quarkus-dist:$version:tar.gz" "-DoutputDirectory=$setup_dir/fetched" >&2
  tar -C "$setup_dir" -xzf "$setup_dir/fetched/keycloak-quarkus-dist-$version.tar.gz"
  rm "$setup_dir/fetched/keycloak-quarkus-dist-$version.tar.gz"
fi
echo "$folder"
