#!/usr/bin/env bash
# Makes .venv and installs what a lock file names, with hashes, by plain pip.
# Nothing but errors is printed.
# usage: tools/setup-venv.sh requirements.lock     PYTHON=python3.12 chooses the interpreter
set -euo pipefail
cd "$(dirname "$0")/.."
lock=$1
venv=.venv

fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

has_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

find_python() {
  # The system's own first: distributions build theirs with a profile, version managers do not, and the server is a sixth
  # slower with one of those (docs/performance.md). These may also leave names on PATH that do not run: each is tried.
  local candidate found=
  for candidate in ${PYTHON:-/usr/bin/python3 python3.13 python3.12 python3.11 python3 python}; do
    fits "$candidate" || continue
    found=${found:-$candidate}
    if has_venv "$candidate"; then
      found=$candidate
      break
    fi
  done
  if [ -n "$found" ]; then
    echo "$found"
    return
  fi
  echo "sev1 needs Python 3.11 or newer${PYTHON:+, and $PYTHON is not}. Install it, or name one: make run PYTHON=/path/to/python3" >&2
  return 1
}

if ! fits "$venv/bin/python"; then
  python=$(find_python)
  if ! has_venv "$python"; then
    echo "$python has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2
    exit 1
  fi
  echo "Setting up $venv with $("$python" --version) …"
  "$python" -m venv --clear "$venv"
fi

echo "Installing $lock …"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
"$venv/bin/python" -m pip install -qq --require-hashes -r "$lock"
"$venv/bin/python" -m pip install -qq --no-deps --no-build-isolation --editable .
