#!/usr/bin/env bash
# Stand-in tooling for this project's own tests only, never for users.
#
# Builds one image per folder next to this script, on a Debian base that debootstrap makes, so that
# no image registry is needed; what is there and unchanged is kept. Use:
#   eval "$(tests/stand_ins/build.sh)"
# Standard output holds nothing but `export POSTGRES_IMAGE=...` lines, one per folder; after a failure
# it is `false`, because that eval would take no output for success.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

readonly PREFIX=testbed-stand-in
readonly LABEL=testbed.stand-in.context # the hash of what an image was made of

say() { printf 'build: %s\n' "$*" >&2; }

# A Dockerfile names its image's tag and its base itself.
tag_of() { sed -n 's/^LABEL testbed\.stand-in\.tag=//p' "$here/$1/Dockerfile"; }
image_of() { echo "$PREFIX/$1:$(tag_of "$1")"; }
suite_of() { sed -n "s|^FROM $PREFIX/debian:||p" "$here/$1/Dockerfile"; }

label_of() { docker image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$1" 2>/dev/null || true; }
context_of() { (cd "$here/$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -c -16; }
is_current() { [[ $(label_of "$(image_of "$1")") == "$(context_of "$1")" ]]; }

# The output of a command is only worth reading when it fails.
logged() { # logged NAME COMMAND...
  local log="$work/$1.log" name=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    say "$name failed"
    return 1
  fi
}

prepare_debootstrap() {
  [[ -f /etc/debian_version && $EUID == 0 ]] || die "a base image needs debootstrap: run this on Debian as root"
  mirror=$(debian_mirror)
  command -v debootstrap >/dev/null || apt_quietly install -y --no-install-recommends debootstrap
}

make_base() { # make_base SUITE
  local suite=$1 root=$work/$1 started=$SECONDS
  logged "debootstrap-$suite" \
    debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror"
  # As in the official Debian images: no service starts on installation, and dpkg does not fsync.
  # A mirror can lag behind, and an unstable Release file is soon past its date.
  printf '#!/bin/sh\nexit 101\n' | install -m 755 /dev/stdin "$root/usr/sbin/policy-rc.d"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/stand-in"
  printf '%s "false";\n' Acquire::Check-Valid-Until APT::Install-Recommends >"$root/etc/apt/apt.conf.d/90stand-in"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  tar -C "$root" -c . | docker import --change "LABEL $LABEL=$suite" - "$PREFIX/debian:$suite" >/dev/null
  rm -rf "$root"
  say "$PREFIX/debian:$suite made in $((SECONDS - started)) s"
}

make_image() { # make_image SERVICE
  local image trusted started=$SECONDS secrets=()
  image=$(image_of "$1")
  # For a build that asks for it: registries can be behind a proxy with a certificate of its own.
  trusted=$(python3 -c 'import ssl; print(ssl.get_default_verify_paths().cafile or "")')
  [[ -z $trusted ]] || secrets=(--secret "id=ca,src=$trusted")
  logged "$1" docker build --progress plain "${secrets[@]}" \
    --label "$LABEL=$(context_of "$1")" --tag "$image" "$here/$1"
  say "$image built in $((SECONDS - started)) s"
}

wait_all() { # fails when one of the given processes failed
  local pid rc=0
  for pid; do wait "$pid" || rc=1; done
  return "$rc"
}

make_suite() { # make_suite SUITE SERVICE...: the base if it is missing, then all its images at once
  local suite=$1 service pids=()
  shift
  [[ -n $(label_of "$PREFIX/debian:$suite") ]] || make_base "$suite"
  for service; do
    make_image "$service" &
    pids+=($!)
  done
  wait_all "${pids[@]}"
}

clean_up() {
  local rc=$?
  [[ -z ${work:-} ]] || rm -rf --one-file-system "$work" # debootstrap mounts /proc while it runs
  ((rc == 0)) || echo false
}
trap clean_up EXIT

"$here/engine.sh" >&2
exec 9<"$here"
flock 9 # two test sessions at once build one after the other, and the second finds all it needs

services=()
declare -A stale=()
for dockerfile in "$here"/*/Dockerfile; do
  service=$(basename "$(dirname "$dockerfile")")
  services+=("$service")
  is_current "$service" || stale[$(suite_of "$service")]+=" $service"
done

if ((${#stale[@]})); then
  work=$(mktemp -d)
  pids=()
  for suite in "${!stale[@]}"; do
    [[ -n $(label_of "$PREFIX/debian:$suite") || -v mirror ]] || prepare_debootstrap
    # shellcheck disable=SC2086 # a list of folder names
    make_suite "$suite" ${stale[$suite]} &
    pids+=($!)
  done
  wait_all "${pids[@]}" || die "not every image could be built"
fi

for service in "${services[@]}"; do
  name=${service//-/_}
  printf 'export %s_IMAGE=%s\n' "${name^^}" "$(image_of "$service")"
done
