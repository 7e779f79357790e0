#!/usr/bin/env bash
# A stand-in for our own tests only, never for users: behaves like the entrypoint of the official
# postgres image, with its first start on a temporary server that answers on its socket only.
# STAND_IN_INIT_DELAY=<seconds> prolongs that phase, so that a test can look at it.
set -euo pipefail

[[ ${1:-} != -* ]] || set -- postgres "$@"
[[ ${1:-} == postgres && " $* " != *" --version "* && " $* " != *" --help "* ]] || exec "$@"

from_env() { # from_env NAME DEFAULT: exports NAME from itself, from the file NAME_FILE, or DEFAULT
  local file=${1}_FILE
  if [[ -n ${!file:-} ]]; then
    export "$1=$(<"${!file}")"
  else
    export "$1=${!1:-$2}"
  fi
}

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA"
  find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres {} +
  chmod 700 "$PGDATA"
  exec gosu postgres "$0" "$@"
fi

if [[ -s $PGDATA/PG_VERSION ]]; then
  printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
  exec "$@"
fi

from_env POSTGRES_USER postgres
from_env POSTGRES_PASSWORD ''
from_env POSTGRES_DB "$POSTGRES_USER"
if [[ -z $POSTGRES_PASSWORD && ${POSTGRES_HOST_AUTH_METHOD:-} != trust ]]; then
  echo "Error: Database is uninitialized and superuser password is not specified." >&2
  exit 1
fi

# shellcheck disable=SC2086 # a list of options
initdb --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
# What initdb wrote before this line trusts the socket and the loopback address inside the container.
echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

options=("${@:2}" -c listen_addresses= -p "${PGPORT:-5432}")
PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -w -o "$(printf '%q ' "${options[@]}")" start

export PGPASSWORD=$POSTGRES_PASSWORD
sql() { PGHOST='' psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" "$@"; }
[[ $POSTGRES_DB == postgres ]] ||
  sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
for file in /docker-entrypoint-initdb.d/*; do
  case $file in
    *.sh)
      if [[ -x $file ]]; then
        "$file"
      else
        set +u # as in the official image, where a sourced script may use what is not set
        # shellcheck disable=SC1090 # the user's own
        source "$file"
        set -u
      fi
      ;;
    *.sql) sql --dbname "$POSTGRES_DB" -f "$file" ;;
    *.sql.gz) gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
  esac
done
sleep "${STAND_IN_INIT_DELAY:-0}"
unset PGPASSWORD

pg_ctl -D "$PGDATA" -m fast -w stop
printf '\nPostgreSQL init process complete; ready for start up.\n\n'
exec "$@"
