#!/usr/bin/env bash
# All tests this machine can run: on SQLite, then, with PostgreSQL and Redis of their own, all that know a database
# again; then both coverage gates. Arguments go to pytest (`scripts/test.sh -k filing`; the gates are left out then).
# What is missing here is said by name; with CI=true that is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN=.venv/bin
# A developer's own .env and environment decide nothing here; what a run writes is its own, so two runs do not meet.
own=$(mktemp -d "${TMPDIR:-/tmp}/recovery-test.XXXXXX")
export PORTAL_ENV_FILE=/dev/null PORTAL_VAR_DIR=$own/var DEBUG=true SECRET_KEY=only-for-tests-on-this-machine
export SERVICES_HOME=${SERVICES_HOME:-$own/services}
unset DATABASE_URL CELERY_BROKER_URL TEST_DATABASE_URL TEST_REDIS_URL
browser=''
finish() {
  [ -z "$browser" ] || kill "$browser" 2>/dev/null || true
  scripts/services.sh stop || true
  rm -rf -- "$own"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

not_run=()
status=0

suite() { # TITLE MARKERS [ARGS…]
  echo "── tests on $1"
  "$BIN/pytest" -n 3 -m "$2" "${@:3}" || status=1
}
measured=(--cov --cov-report= --cov-fail-under=0)

suite 'SQLite' "not stack and not postgres and not browser" "${measured[@]}" "$@"

# Beside the next suite, because people at a browser mostly wait. Both processes have a demo of their own, on SQLite.
if command -v chromium >/dev/null || command -v chromium-browser >/dev/null; then
  "$BIN/pytest" -n 2 -m browser "$@" >"$own/browser.txt" 2>&1 &
  browser=$!
else
  not_run+=("browser tests: Chromium (no chromium found)")
fi

missing=$(scripts/services.sh missing)
if [ -n "$missing" ]; then
  while read -r line; do not_run+=("tests on PostgreSQL and Redis: $line"); done <<<"$missing"
else
  exports=$(scripts/services.sh start)
  eval "$exports"
  export DATABASE_URL=$TEST_DATABASE_URL
  # Lines are counted once: what only PostgreSQL reaches has a mark, and the rest goes faster uncounted.
  [ $# -ne 0 ] || suite 'PostgreSQL alone, counted' "postgres and not stack" -n 0 "${measured[@]}" --cov-append
  # What knows no database says the same again.
  without=()
  [ $# -ne 0 ] || without=(domain gateway sandbox contract architecture bench chaos)
  suite 'PostgreSQL and Redis' "not stack and not browser" "${without[@]/#/--ignore=tests/}" "$@"
  scripts/services.sh stop
fi

if [ -n "${browser:-}" ]; then
  echo "── tests in a browser"
  wait "$browser" || { [ $? -eq 5 ] && [ $# -ne 0 ]; } || status=1 # 5: the arguments leave none of them
  cat "$own/browser.txt"
  browser=''
fi

for line in ${not_run[@]+"${not_run[@]}"}; do echo "not run: $line"; done
if [ "$status" -ne 0 ]; then echo "tests failed (coverage gates not applied)"; exit 1; fi
if [ ${#not_run[@]} -ne 0 ]; then
  if [ "${CI:-}" = true ]; then echo "with CI=true everything has to run"; exit 1; fi
  echo "coverage gates not applied, because of what did not run"
elif [ $# -eq 0 ]; then
  "$BIN/coverage" report
  "$BIN/python" scripts/coverage_gate.py
fi
