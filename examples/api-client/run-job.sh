#!/bin/sh
# Asks for a run of a job and prints its output: run-job.sh JOB [INPUT] [KEY]. Needs curl and jq.
set -eu
url=${NIGHTSHIFT_URL:-http://127.0.0.1:8480} job=$1 input=${2:-'{}'} key=${3:-$(date +%s)-$$}
ask() { curl --silent --show-error --fail-with-body --max-time 45 --retry 5 --retry-connrefused -H "Authorization: Bearer $NIGHTSHIFT_TOKEN" "$@"; }

# A request whose answer was lost is sent again: the key makes sure that there is one run.
id=$(ask -H 'Content-Type: application/json' -H "Idempotency-Key: $key" -d "{\"input\": $input}" "$url/v1/jobs/$job/runs" | jq -r .id)
while :; do
  run=$(ask "$url/v1/runs/$id?wait=30")
  status=$(printf %s "$run" | jq -r .status)
  case $status in queued | running) ;; *) break ;; esac
done
printf %s "$run" | jq '.output // .outputText'
[ "$status" = succeeded ]
