#!/usr/bin/env bash
# A stand-in for our own tests only, never for users: behaves like the entrypoint of the official
# rabbitmq image. The server itself reads RABBITMQ_DEFAULT_USER, _PASS and _VHOST, and its script
# passes SIGTERM on.
set -euo pipefail

if [[ ${1:-} == rabbitmq* && $(id -u) == 0 ]]; then
  [[ $1 != rabbitmq-server ]] || find /var/lib/rabbitmq \! -user rabbitmq -exec chown rabbitmq {} +
  exec gosu rabbitmq "$0" "$@"
fi

# A host name with dots needs long node names.
[[ $(hostname) == "$(hostname -s)" ]] || export RABBITMQ_USE_LONGNAME=${RABBITMQ_USE_LONGNAME:-true}
exec "$@"
