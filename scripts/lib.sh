# Shell code that the scripts share. Sourced, never run.
#
# Two rules hold everywhere:
# - A script that starts a process stops it, however the script ends.
# - A process that is started here dies with its script, even if the script is killed with -9.
# shellcheck shell=bash

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # the scripts that source this use it
readonly repo

say() { printf '%s\n' "$@"; } # each argument is a line
step() { printf '\n== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# A shell that was started in the background ignores SIGINT and cannot undo that by itself. Every
# script that must stop on SIGINT calls this first; the process keeps its id.
listen_to_sigint() {
  [ -z "${IDEM_SIGINT_RESET:-}" ] || { unset IDEM_SIGINT_RESET; return 0; }
  IDEM_SIGINT_RESET=1 exec env --default-signal=INT,QUIT bash "$0" "$@"
}

# --- Building -------------------------------------------------------------------------------------

# One compiler per core, but never more than memory holds: the heaviest files take about 1.5 GB.
build_jobs() {
  local cores memory_gb jobs
  cores=$(nproc)
  memory_gb=$(awk '/^MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
  jobs=$((memory_gb * 2 / 3))
  [ "$jobs" -ge 1 ] || jobs=1
  [ "$jobs" -le "$cores" ] || jobs=$cores
  echo "$jobs"
}

# --- Ports ----------------------------------------------------------------------------------------

port_is_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints a port that is free now. Another program may take it before the caller does, so callers try
# again with another port. (perl is part of every Debian.)
free_port() {
  perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 0, Listen => 1) or die;
    print $s->sockport, "\n"'
}

# --- Processes ------------------------------------------------------------------------------------

# The processes of this script, in the order of their start.
children=()
declare -A child_signals=() # the signal that asks it to end
declare -A child_targets=() # the receiver: a process or, as a negative number, its group
child=0                     # the one started last

# spawn SIGNAL COMMAND...: starts COMMAND in the background in a session of its own, so that Ctrl-C
# reaches only this script, and this script decides the order of the end. SIGNAL asks it to end. It
# gets the same signal if this script is killed. COMMAND ignores no signal that this script ignores.
# Redirect it as any command.
spawn() {
  local signal=$1
  shift
  setsid env --default-signal=INT,QUIT,HUP setpriv --pdeathsig "$signal" -- "$@" &
  adopt "$signal" $!
}

# The same as the system user `postgres`. A change of user clears the parent-death signal, so that
# is set after it.
spawn_as_postgres() {
  local signal=$1
  shift
  setsid env --default-signal=INT,QUIT setpriv --reuid=postgres --regid=postgres --init-groups -- \
    setpriv --pdeathsig "$signal" -- "$@" &
  adopt "$signal" $!
}

# Starts a command that starts others: the signal goes to all of them.
spawn_group() {
  spawn TERM "$@"
  child_targets[$child]=-$child
}

adopt() {
  child=$2
  children+=("$child")
  child_signals[$child]=$1
  child_targets[$child]=$child
}

# run_aside COMMAND...: runs COMMAND to its end and returns its status. It runs in the background,
# because bash runs no trap before the end of a foreground command. It can be stopped as one group,
# with all that it starts.
run_aside() {
  local status=0
  spawn_group "$@"
  wait "$child" || status=$?
  unset 'children[-1]'
  return "$status"
}

is_running() { kill -0 -- "$1" 2>/dev/null; } # a process or, as a negative number, any of its group

# gone_within TARGET SECONDS: succeeds if TARGET ends in that time.
gone_within() {
  local left=$(($2 * 20))
  while is_running "$1"; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    sleep 0.05
  done
}

# Sends the signal, sends it again (a second one skips a drain), then kills the process with all that
# it started.
stop_child() {
  local pid=$1 target=${child_targets[$1]}
  local -a ask=(kill -s "${child_signals[$pid]}" -- "$target")
  "${ask[@]}" 2>/dev/null || true
  gone_within "$target" 8 || "${ask[@]}" 2>/dev/null || true
  gone_within "$target" 8 || kill -s KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# Stops the last one first.
stop_children() {
  local i
  for ((i = ${#children[@]} - 1; i >= 0; i--)); do stop_child "${children[i]}"; done
  children=()
}

# on_every_end FUNCTION: calls it once, however the script ends. It runs without `set -e`, ignores
# further signals, and may write to a terminal that is closed.
on_every_end() {
  # shellcheck disable=SC2064 # the name is meant to be expanded now
  trap "end_with $1" EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

end_with() {
  local status=$?
  trap '' HUP INT TERM PIPE
  trap - EXIT
  set +e
  "$1"
  exit "$status"
}

# wait_until SECONDS WHAT COMMAND...: waits for COMMAND to succeed, as long as the process that was
# started last lives. Prints only failures.
wait_until() {
  local left=$(($1 * 10)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    is_running "$child" || return 1
    [ "$left" -gt 0 ] || { printf '%s: %s is not ready in time\n' "${0##*/}" "$what" >&2; return 1; }
    left=$((left - 1))
    sleep 0.1
  done
}

# --- PostgreSQL -----------------------------------------------------------------------------------

# PostgreSQL refuses to run as root. Root runs it as the user that its package made.
postgres_user() { if [ "$(id -u)" = 0 ]; then echo postgres; else id -un; fi; }

# as_postgres COMMAND...: runs COMMAND as that user, in a folder that the user may enter.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
  else
    "$@"
  fi
}

# Prints the folder with the programs of the newest installed server. Debian does not put it in PATH.
postgres_bin() {
  local newest
  newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
  [ -x "$newest" ] || die "no PostgreSQL server found below /usr/lib/postgresql; run scripts/deps test"
  dirname "$newest"
}

# new_cluster FOLDER [INITDB-OPTION...]: makes a cluster whose superuser is `postgres`. FOLDER belongs
# to postgres_user.
new_cluster() {
  local folder=$1 bin
  shift
  bin=$(postgres_bin)
  as_postgres "$bin/initdb" -D "$folder" -U postgres -E UTF8 --locale=C --no-instructions "$@"
}

# start_postgres FOLDER PORT [SERVER-OPTION...]: starts a server on loopback TCP and returns when it is
# ready. It has no socket file, whose path might be too long. SIGINT makes PostgreSQL end at once.
start_postgres() {
  local folder=$1 port=$2 bin
  shift 2
  bin=$(postgres_bin)
  local -a command=("$bin/postgres" -D "$folder" -p "$port" -c listen_addresses=127.0.0.1
    -c unix_socket_directories= "$@")
  if [ "$(id -u)" = 0 ]; then
    spawn_as_postgres INT "${command[@]}"
  else
    spawn INT "${command[@]}"
  fi
  wait_until 60 PostgreSQL "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"
}

# --- Redis ----------------------------------------------------------------------------------------

# start_redis FOLDER PORT [OPTION VALUE...]: starts a server on loopback and returns when it is ready.
start_redis() {
  local folder=$1 port=$2
  shift 2
  spawn TERM redis-server --bind 127.0.0.1 --port "$port" --dir "$folder" --daemonize no "$@"
  wait_until 20 Redis redis_answers "$port"
}

redis_answers() { [ "$(redis-cli -p "$1" ping 2>/dev/null)" = PONG ]; }
