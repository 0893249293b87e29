#!/usr/bin/env bash
# A private PostgreSQL cluster and a private Redis for the tests, on 127.0.0.1 and on free ports.
#   scripts/services.sh start   starts what is found here; prints `export` lines (eval "$(scripts/services.sh start)")
#   scripts/services.sh env     prints them again
#   scripts/services.sh stop    ends what `start` started, and only that; removes its files
#   scripts/services.sh missing prints, a line each, what is not installed here
# and for runs in which they break (`make chaos`):
#   scripts/services.sh crash   restarts PostgreSQL in immediate mode: it recovers as after a power cut
#   scripts/services.sh kill    kills Redis; `start` brings it back, empty, on the port that it had
# SERVICES_HOME (default var/services) holds process ids, ports and logs. SERVICES_DURABLE=true: what PostgreSQL has
# committed outlives a crash of it (the tests need no such thing, and are faster without).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

STATE=${SERVICES_HOME:-$PWD/var/services}
say() { echo "services: $*" >&2; }
die() { say "$*"; exit 1; }

# Debian keeps initdb and pg_ctl out of PATH, one directory for each version: the newest one.
pg_bin() {
  local found
  if found=$(command -v initdb 2>/dev/null); then dirname "$(readlink -f "$found")"; return; fi
  found=$(find /usr/lib/postgresql /usr/local/lib/postgresql -maxdepth 3 -name initdb 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || return 1
  dirname "$found"
}

# Below the range that the system gives to outgoing connections: a server that is away for a moment finds its port free
# again, and a client that knocks meanwhile does not connect to itself.
free_port() {
  python3 - <<'PY'
import contextlib, random, socket
while True:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", random.randrange(20000, 28000)))
        print(probe.getsockname()[1])
        break
PY
}

# PostgreSQL refuses to run as root: there the account that its package made is used, or nobody.
as_pg() {
  if [ "$(id -u)" -ne 0 ]; then "$@"; else (cd / && runuser -u "$(cat "$STATE/pg.user")" -- "$@"); fi
}

missing() {
  pg_bin >/dev/null || echo "PostgreSQL (no initdb found)"
  command -v redis-server >/dev/null || echo "Redis (no redis-server found)"
}

running() { # NAME: true while the process that we started lives
  local pid
  [ -s "$STATE/$1.pid" ] || return 1
  pid=$(cat "$STATE/$1.pid")
  kill -0 "$pid" 2>/dev/null && [ "$(cat "$STATE/$1.born" 2>/dev/null)" = "$(born "$pid")" ]
}

# A process id may be used again: the start time of the process (clock ticks since boot) tells ours from another. One
# that has ended and that nobody has waited for yet (Z) has none.
born() { sed -n 's/^.*) //; /^Z/!p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20 || true; }

remember() { # NAME PID
  echo "$2" >"$STATE/$1.pid"
  born "$2" >"$STATE/$1.born"
}

start_postgres() {
  running postgres && return 0
  local bin data port user try
  bin=$(pg_bin)
  user=$(id -un)
  if [ "$(id -u)" -eq 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
  fi
  echo "$user" >"$STATE/pg.user"
  # Below the temporary directory, because the other account may be unable to enter our checkout.
  data=$(mktemp -d "${TMPDIR:-/tmp}/recovery-pg.XXXXXX")
  echo "$data" >"$STATE/postgres.data"
  [ "$(id -u)" -ne 0 ] || chown "$user" "$data"
  as_pg "$bin/initdb" --pgdata="$data/cluster" --username=recovery --auth=trust --encoding=UTF8 --locale=C \
    --no-sync --no-instructions >"$STATE/postgres.log" 2>&1 || { cat "$STATE/postgres.log" >&2; die "initdb failed"; }
  local durable=off
  [ "${SERVICES_DURABLE:-}" != true ] || durable=on
  for try in 1 2 3; do
    port=$(free_port)
    # Test data may be lost by a power cut: no fsync. Sockets in the data directory, never in the system's.
    if as_pg "$bin/pg_ctl" --pgdata="$data/cluster" --wait --timeout=60 --log="$data/server.log" start --options="-p $port \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories='$data' -c fsync=off -c synchronous_commit=$durable \
        -c full_page_writes=off -c max_connections=200" >>"$STATE/postgres.log" 2>&1; then
      remember postgres "$(head -n 1 "$data/cluster/postmaster.pid")"
      "$bin/createdb" --host=127.0.0.1 --port="$port" --username=recovery recovery
      echo "$port" >"$STATE/postgres.port"
      say "PostgreSQL on 127.0.0.1:$port"
      return 0
    fi
    say "PostgreSQL did not start on port $port (try $try)"
  done
  cat "$data/server.log" >&2 || true
  die "PostgreSQL does not start"
}

start_redis() {
  running redis && return 0
  local port try _
  for try in 1 2 3; do
    # one that was killed comes back where it was
    port=$(cat "$STATE/redis.port" 2>/dev/null || free_port)
    setsid redis-server --bind 127.0.0.1 --port "$port" --save '' --appendonly no --daemonize no \
      </dev/null >"$STATE/redis.log" 2>&1 &
    remember redis $!
    for _ in $(seq 100); do
      if [ "$(redis-cli -h 127.0.0.1 -p "$port" ping 2>/dev/null)" = PONG ]; then
        echo "$port" >"$STATE/redis.port"
        say "Redis on 127.0.0.1:$port"
        return 0
      fi
      running redis || break
      sleep 0.1
    done
    say "Redis did not start on port $port (try $try)"
    [ "$try" -lt 2 ] || rm -f "$STATE/redis.port"
  done
  tail -n 20 "$STATE/redis.log" >&2
  die "Redis does not start"
}

crash_postgres() {
  running postgres || die "PostgreSQL does not run"
  local bin data
  bin=$(pg_bin)
  data=$(cat "$STATE/postgres.data")
  as_pg "$bin/pg_ctl" --pgdata="$data/cluster" --wait --timeout=60 --log="$data/server.log" --mode=immediate restart \
    >>"$STATE/postgres.log" 2>&1 || die "PostgreSQL does not come back"
  remember postgres "$(head -n 1 "$data/cluster/postmaster.pid")"
}

kill_redis() {
  running redis || die "Redis does not run"
  kill -KILL "$(cat "$STATE/redis.pid")"
}

print_env() {
  ! running postgres || echo "export TEST_DATABASE_URL=postgres://recovery@127.0.0.1:$(cat "$STATE/postgres.port")/recovery"
  ! running redis || echo "export TEST_REDIS_URL=redis://127.0.0.1:$(cat "$STATE/redis.port")/0"
}

end() { # NAME SIGNAL: ends one server and waits, SIGKILL after 15 s
  local pid _
  running "$1" || return 0
  pid=$(cat "$STATE/$1.pid")
  kill "-$2" "$pid" 2>/dev/null || true
  for _ in $(seq 150); do
    running "$1" || break
    sleep 0.1
  done
  ! running "$1" || kill -KILL "$pid" 2>/dev/null || true
}

stop() {
  [ -d "$STATE" ] || return 0
  end postgres INT # a fast shutdown: open connections are cut
  end redis TERM
  local data
  data=$(cat "$STATE/postgres.data" 2>/dev/null || true)
  case $data in */recovery-pg.*) rm -rf -- "$data" ;; esac
  rm -rf -- "$STATE"/{postgres,redis}.{pid,born,port,data,log} "$STATE/pg.user"
  rmdir "$STATE" 2>/dev/null || true
}

stop_after_failure() { # EXIT CODE
  [ "$1" -eq 0 ] || stop
}

case ${1:-} in
  start)
    mkdir -p "$STATE"
    trap 'stop_after_failure "$?"' EXIT
    if pg_bin >/dev/null; then start_postgres; fi
    if command -v redis-server >/dev/null; then start_redis; fi
    missing | sed 's/^/services: not started: /' >&2
    print_env
    ;;
  env) print_env ;;
  stop) stop ;;
  missing) missing ;;
  crash) crash_postgres ;;
  kill) kill_redis ;;
  *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
