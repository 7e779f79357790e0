#!/usr/bin/env bash
# A stand-in for our own tests only, never for users: behaves like the entrypoint of the official
# redis image.
set -euo pipefail

[[ ${1:-} != -* && ${1:-} != *.conf ]] || set -- redis-server "$@"
[[ ${1:-} == redis-server ]] || exec "$@"

# As the official image from 8.0 on: root is only left where that is possible, and then the bounding
# set is emptied too, which fails for a container that has SETUID and SETGID but not SETPCAP.
has_cap() { setpriv -d | grep -qw "Capability bounding set:.*$1"; }
if [[ $(id -u) == 0 ]] && has_cap setuid && has_cap setgid; then
  find . \! -user redis -exec chown redis {} +
  exec setpriv --reuid redis --regid redis --clear-groups --nnp \
    --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$0" "$@"
fi

# The official binary is built with protected mode off, Debian's is not. First of the options, but
# after a configuration file, so that whoever sets it still decides.
if [[ ${2:-} == -* || -z ${2:-} ]]; then
  set -- redis-server --protected-mode no "${@:2}"
elif ! grep -q '^protected-mode' "$2"; then
  set -- redis-server "$2" --protected-mode no "${@:3}"
fi

[[ $(umask) != 0022 ]] || umask 0077
exec "$@"
