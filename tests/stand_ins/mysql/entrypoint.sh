#!/usr/bin/env bash
# A stand-in for our own tests only, never for users: behaves like the entrypoint of the official
# mysql image, with its first start on a temporary server that answers on its socket only.
# STAND_IN_INIT_DELAY=<seconds> prolongs that phase, so that a test can look at it.
set -euo pipefail

[[ ${1:-} != -* ]] || set -- mysqld "$@"
[[ ${1:-} == mysqld && " $* " != *" --help "* && " $* " != *" --version "* ]] || exec "$@"

note() { echo "$(date --rfc-3339=seconds) [Note] [Entrypoint]: $*"; }
fail() {
  echo "$(date --rfc-3339=seconds) [ERROR] [Entrypoint]: $*" >&2
  exit 1
}
from_env() { # from_env NAME DEFAULT: sets NAME from itself, from the file NAME_FILE, or to DEFAULT
  local file=${1}_FILE
  if [[ -n ${!file:-} ]]; then
    printf -v "$1" %s "$(<"${!file}")"
  else
    printf -v "$1" %s "${!1:-$2}"
  fi
}

readonly DATA=/var/lib/mysql SOCKET=/var/run/mysqld/mysqld.sock
if ! errors=$("$@" --verbose --help --log-bin-index="$(mktemp -u)" 2>&1 >/dev/null); then
  fail "mysqld failed while attempting to check config: $errors"
fi
if [[ $(id -u) == 0 ]]; then
  mkdir -p "$DATA"
  find "$DATA" /var/run/mysqld \! -user mysql -exec chown mysql {} +
  note "Switching to dedicated user 'mysql'"
  exec gosu mysql "$0" "$@"
fi
[[ ! -d $DATA/mysql ]] || exec "$@"

from_env MYSQL_ROOT_HOST %
from_env MYSQL_ROOT_PASSWORD ''
from_env MYSQL_DATABASE ''
from_env MYSQL_USER ''
from_env MYSQL_PASSWORD ''
[[ -n $MYSQL_ROOT_PASSWORD || -n ${MYSQL_ALLOW_EMPTY_PASSWORD:-} ]] ||
  fail 'Database is uninitialized and password option is not specified'
[[ $MYSQL_USER != root ]] ||
  fail 'MYSQL_USER="root", MYSQL_USER and MYSQL_PASSWORD are for configuring a regular user'

note 'Initializing database files'
"$@" --initialize-insecure --default-time-zone=SYSTEM --autocommit=1
note 'Starting temporary server'
"$@" --daemonize --skip-networking --default-time-zone=SYSTEM --socket="$SOCKET"

sql() { MYSQL_PWD=${password:-} mysql --protocol=socket -uroot -hlocalhost --socket="$SOCKET" --comments "$@"; }
quoted() { printf "'%s'" "${1//\'/\\\'}"; }
if [[ -z ${MYSQL_INITDB_SKIP_TZINFO:-} ]]; then
  mysql_tzinfo_to_sql /usr/share/zoneinfo 2>/dev/null | sql --database=mysql
fi
{
  if [[ $MYSQL_ROOT_HOST != localhost ]]; then
    root="'root'@$(quoted "$MYSQL_ROOT_HOST")"
    echo "CREATE USER $root IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
    echo "GRANT ALL ON *.* TO $root WITH GRANT OPTION;"
  fi
  echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
  echo "GRANT ALL ON *.* TO 'root'@'localhost' WITH GRANT OPTION;"
} | sql --database=mysql
password=$MYSQL_ROOT_PASSWORD
{
  [[ -z $MYSQL_DATABASE ]] || echo "CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;"
  if [[ -n $MYSQL_USER && -n $MYSQL_PASSWORD ]]; then
    echo "CREATE USER $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "$MYSQL_PASSWORD");"
    [[ -z $MYSQL_DATABASE ]] ||
      echo "GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO $(quoted "$MYSQL_USER")@'%';"
  fi
} | sql --database=mysql
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
    *.sql) sql ${MYSQL_DATABASE:+--database="$MYSQL_DATABASE"} <"$file" ;;
    *.sql.gz) gunzip -c "$file" | sql ${MYSQL_DATABASE:+--database="$MYSQL_DATABASE"} ;;
  esac
done
sleep "${STAND_IN_INIT_DELAY:-0}"

note 'Stopping temporary server'
MYSQL_PWD=$password mysqladmin shutdown -uroot --socket="$SOCKET"
note 'MySQL init process done. Ready for start up.'
exec "$@"
