# shellcheck shell=bash
# Stand-in tooling for this project's own tests only, never for users. Sourced by the scripts here.

die() {
  printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2
  exit 1
}

# Without the caller's lock (descriptor 9): a daemon that a package starts would keep it.
apt_quietly() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" >&2 9>&-
}

# A failing source of somebody else is not our business: the install that follows decides.
apt_update() { apt_quietly update || true; }

# The mirror that this machine uses for Debian itself: security and third-party sources have another
# label. Before the first `apt-get update` apt knows no labels.
debian_mirror() {
  local try mirror
  for try in known updated; do
    [[ $try == known ]] || apt_update
    # shellcheck disable=SC2016 # apt expands it
    mirror=$(apt-get indextargets --format '$(REPO_URI)' \
      'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' | sed -n 1p)
    [[ -z $mirror ]] || break
  done
  [[ -n $mirror ]] || die "apt has no source for Debian's main component"
  echo "$mirror"
}
