#!/usr/bin/env bash
# Stand-in tooling for this project's own tests only, never for users.
#
# Makes a Docker Engine (>= 25, health checks need start_interval) with Compose (>= 2.20) answer on
# this machine, even where no image registry and no Docker package source can be reached: on Debian,
# as root, from Debian's own unstable suite. Safe to run again; prints one line when all is well.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$here/lib.sh"

readonly MIN_ENGINE=25 MIN_COMPOSE=2.20 DEADLINE=60
readonly WANTED="Docker Engine >= $MIN_ENGINE with Compose >= $MIN_COMPOSE"
readonly LOG=/var/log/testbed-dockerd.log
readonly APT_NAME=testbed-unstable # of the temporary apt source and preferences

at_least() { # at_least WANTED FOUND
  [[ -n $2 ]] && printf '%s\n%s\n' "$1" "${2#v}" | sort -VC
}
server_version() { timeout 10 docker info --format '{{.ServerVersion}}' 2>/dev/null || true; }
compose_version() { timeout 10 docker compose version --short 2>/dev/null || true; }
# What a start would give: "Docker version 28.5.2, build ..."
installed_version() { dockerd --version 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1 || true; }
# Not by name: a killed engine may stay a zombie of that name for a while, but has no executable.
running() { [[ -n $(find /proc/[0-9]*/exe -maxdepth 0 -lname "*/$1" 2>/dev/null) ]]; }

done_if_ready() {
  local server compose
  server=$(server_version)
  compose=$(compose_version)
  if at_least "$MIN_ENGINE" "$server" && at_least "$MIN_COMPOSE" "$compose"; then
    echo "Docker Engine $server with Compose $compose answers"
    exit 0
  fi
}

forget_apt_source() {
  rm -f "/etc/apt/sources.list.d/$APT_NAME.sources" "/etc/apt/preferences.d/$APT_NAME"
}

install_packages() { # install_packages PACKAGE...
  local mirror
  mirror=$(debian_mirror)

  # The source goes away again, so that nothing else is ever installed from unstable; the pins keep
  # its other packages out until then. Its Release file can be past its date on a mirror.
  trap forget_apt_source EXIT
  cat >"/etc/apt/sources.list.d/$APT_NAME.sources" <<SOURCE
Types: deb
URIs: $mirror
Suites: unstable
Components: main
Check-Valid-Until: no
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCE
  cat >"/etc/apt/preferences.d/$APT_NAME" <<PINS
Package: *
Pin: release a=unstable
Pin-Priority: -10

Package: docker.io docker-cli docker-compose docker-buildx tini-static
Pin: release a=unstable
Pin-Priority: 990
PINS
  apt_update
  apt_quietly install -y --no-install-recommends "$@" || die "apt could not install: $*"
  forget_apt_source
  hash -r # the first docker command on PATH may be another one now
}

# A killed engine leaves these behind. dockerd refuses to start when the number in a pid file has
# become some other process meanwhile, and waits for a containerd whose socket is there.
forget_dead_engine() {
  rm -f /run/docker.pid
  running containerd || rm -f /run/containerd/containerd.sock /run/docker/containerd/containerd.{pid,sock}
}

start_engine() {
  if [[ -d /run/systemd/system ]]; then
    systemctl start docker >&2 || true
  elif ! running dockerd; then
    forget_dead_engine
    # In its own session and without our lock, to outlive the calling shell.
    setsid dockerd </dev/null >"$LOG" 2>&1 9>&- &
  fi
  local end=$((SECONDS + DEADLINE))
  until [[ -n $(server_version) ]] || ((SECONDS >= end)); do
    sleep 0.5
    running dockerd || break # it gave up, its log says why
  done
}

done_if_ready
[[ -f /etc/debian_version ]] || die "no $WANTED answers, and this is not Debian: install and start them"
((EUID == 0)) || die "no $WANTED answers, and only root can install or start them"

# One at a time: two installs would fight over apt's lock, two starts over the socket.
exec 9>/run/lock/testbed-engine.lock
flock -w 300 9 || die "another engine.sh has been at work for 5 minutes"
done_if_ready

server=$(server_version)
if [[ -n $server ]]; then
  # Somebody's running engine is never replaced.
  at_least "$MIN_ENGINE" "$server" || die "the running Docker Engine is $server, $WANTED is needed"
  install_packages docker-compose docker-buildx
else
  if ! at_least "$MIN_ENGINE" "$(installed_version)" || ! at_least "$MIN_COMPOSE" "$(compose_version)"; then
    install_packages docker.io docker-cli docker-compose docker-buildx tini-static iptables
  fi
  start_engine
fi

done_if_ready
[[ ! -f $LOG ]] || tail -n 20 "$LOG" >&2
die "no $WANTED answers after its start"
