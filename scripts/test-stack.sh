#!/usr/bin/env bash
# The stack-marked tests against a real Knox, Livy and Spark (stack/README.md): first with a local master, then on
# YARN with HDFS. Brings the stack up, runs, tears it down. Arguments go to pytest; STACK_PHASES="local" runs one.
# The tests find STACK_MODE (local, yarn) and the variables of `stack/ctl env` in their environment.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A developer's own .env and environment decide nothing here.
export PORTAL_ENV_FILE=/dev/null DEBUG=true SECRET_KEY=only-for-tests-on-this-machine
unset DATABASE_URL CELERY_BROKER_URL
status=0

# Into a variable: in a pipe, `grep -q` ends early, and with pipefail "a stack is up" would read as "none is".
before=$(stack/ctl status 2>&1)
if [[ $before == *' runs, '* ]]; then
  echo "test-stack: a stack is up already; it may be in use. End it by 'make stack-down', or set REALSTACK_HOME and" >&2
  echo "            other ports for a second one (stack/README.md)." >&2
  exit 1
fi
trap 'stack/ctl down' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

phase() { # MODE [UP ARGS…]
  case " ${STACK_PHASES:-local yarn} " in *" $1 "*) ;; *) return 0 ;; esac
  echo "── stack tests, $1: starting (the first time downloads for some minutes)"
  local since=$SECONDS
  stack/ctl up "${@:2}" >/dev/null
  (
    eval "$(stack/ctl env)"
    export STACK_MODE=$1
    .venv/bin/pytest -m stack --timeout=600 --durations=12 tests/contract tests/stack ${PYTEST_ARGS[@]+"${PYTEST_ARGS[@]}"}
  ) || status=1
  stack/ctl down
  echo "── stack tests, $1: $((SECONDS - since)) s from start to end"
}

PYTEST_ARGS=("$@")
phase local
phase yarn -Y -H
trap - EXIT
exit "$status"
