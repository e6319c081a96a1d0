# shellcheck shell=bash
# What every script of launch/ starts with: the checkout's root, messages, --help and exit codes.
# Sourced; knows nothing about packages, LibTorch or MPI.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
script=${0##*/}
started_s=$SECONDS
export root script

say() { printf '%s: %s\n' "$script" "$*"; }
warn() { printf '%s: %s\n' "$script" "$*" >&2; }

# die CODE MESSAGE: one line on standard error; the codes are those of docs/troubleshooting.md.
die() {
  local code=$1
  shift
  warn "$*"
  exit "$code"
}

# The comment block under the first line of the script is its help text.
usage() { sed -n '2,/^[^#]/{/^# shellcheck/d;s/^# \{0,1\}//p}' "$0"; }

elapsed_s() { echo $((SECONDS - started_s)); }

# need_value OPTION COUNT: refuses an option that lacks its value.
need_value() { [ "$2" -ge 2 ] || die 64 "$1 needs a value (see --help)"; }

have() { command -v "$1" >/dev/null 2>&1; }

# json_field FILE PATH.TO.KEY: prints the value, or nothing where the file or the key is missing.
json_field() {
  python3 - "$1" "$2" <<'PYTHON'
import json, sys
try:
    with open(sys.argv[1], encoding="utf-8") as file:
        value = json.load(file)
    for key in sys.argv[2].split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    print(value)
except (OSError, ValueError, LookupError, TypeError):
    pass
PYTHON
}
