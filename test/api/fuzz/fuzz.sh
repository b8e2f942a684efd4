#!/bin/sh
# Fuzzes a running Nightshift from its OpenAPI document with schemathesis:
#   python3 -m venv /tmp/st-venv && /tmp/st-venv/bin/pip install schemathesis
#   PATH=/tmp/st-venv/bin:node_modules/.bin:$PATH sh test/api/fuzz/fuzz.sh [--max-examples 200 …]
# Its stateful phase pauses jobs, and then waits for runs that they hold: give it a --max-time when you add it with --phases.
# No answer may be a 500 or outside the document, and nobody may be let in without a token.
set -eu
dir=$(mktemp -d)
node test/api/fuzz/server.ts >"$dir/ready" 2>"$dir/log" &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$dir"' EXIT
while [ ! -s "$dir/ready" ]; do kill -0 $server; sleep 0.2; done
read -r url token <"$dir/ready"
code=0
schemathesis run "$url/openapi.json" --header "Authorization: Bearer $token" --phases coverage,fuzzing --continue-on-failure --request-timeout 70 \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,negative_data_rejection,missing_required_header,ignored_auth \
  "$@" || code=$?
grep '"level":50' "$dir/log" && code=1
exit $code
