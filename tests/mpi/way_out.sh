#!/usr/bin/env bash
# way_out.sh PROGRAM MPIRUN WAY CODE SECONDS [TEXT]: runs PROGRAM WAY on two ranks and wants this
# exit code, within this time, with TEXT on standard error.
set -u
program=$1 mpirun=$2 way=$3 code=$4 limit_s=$5 text=${6:-}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
SECONDS=0
timeout 60 "$mpirun" -np 2 "$program" "$way" 2>"$log"
found=$?
cat "$log" >&2
[ "$found" -eq "$code" ] || { echo "exit code $found instead of $code"; exit 1; }
[ "$SECONDS" -le "$limit_s" ] || { echo "took $SECONDS s, more than $limit_s"; exit 1; }
[ -z "$text" ] || grep -q -- "$text" "$log" || { echo "\"$text\" is missing"; exit 1; }
