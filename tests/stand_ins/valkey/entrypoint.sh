#!/usr/bin/env bash
# A stand-in for our own tests only, never for users: behaves like the entrypoint of the official
# valkey/valkey image.
set -euo pipefail

[[ ${1:-} != -* && ${1:-} != *.conf ]] || set -- valkey-server "$@"
# shellcheck disable=SC2086 # a list of options
[[ ${1:-} == valkey-server ]] || exec "$@" ${VALKEY_EXTRA_FLAGS:-}

if [[ $(id -u) == 0 ]]; then
  find . \! -user valkey -exec chown valkey {} +
  exec setpriv --reuid valkey --regid valkey --clear-groups "$0" "$@"
fi
if [[ ! -w . ]]; then
  echo "error: user $(id -u) cannot write to $PWD" >&2
  exit 1
fi

# The official binary is built with protected mode off, Debian's is not. First of the options, but
# after a configuration file, so that whoever sets it still decides.
if [[ ${2:-} == -* || -z ${2:-} ]]; then
  set -- valkey-server --protected-mode no "${@:2}"
elif ! grep -q '^protected-mode' "$2"; then
  set -- valkey-server "$2" --protected-mode no "${@:3}"
fi

[[ $(umask) != 0022 ]] || umask 0077
# shellcheck disable=SC2086
exec "$@" ${VALKEY_EXTRA_FLAGS:-}
