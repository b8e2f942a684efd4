#!/busybox/sh
# Runs Pomerium, and puts its log into files that audit follow reads and into the container's own log: SIGTERM reaches it, its exit code is the container's, and
# the last lines are written before it ends. A file of LOG_BYTES becomes pomerium.log.1, and LOG_FILES of them are kept; whole lines alone, none lost between two.
set -u
file=${LOG_FILE:-/var/log/pomerium/pomerium.log}
pipe=$(mktemp -u) || exit 1
mkfifo -m 600 "$pipe" || exit 1

# The oldest goes.
export LOG_FILE="$file" LOG_FILES="${LOG_FILES:-8}"
turn='i=$((LOG_FILES - 1)); while [ $i -gt 0 ]; do [ -e "$LOG_FILE.$i" ] && mv -f "$LOG_FILE.$i" "$LOG_FILE.$((i + 1))"; i=$((i - 1)); done; mv -f "$LOG_FILE" "$LOG_FILE.1"'
write='{
  print >> file; fflush(file)
  print; fflush()
  bytes += length($0) + 1
  if (bytes >= most) { close(file); system(turn); bytes = 0 }
}'
# What an earlier start has written counts.
bytes=0
[ -f "$file" ] && bytes=$(wc -c < "$file")
LC_ALL=C awk -v file="$file" -v most="${LOG_BYTES:-67108864}" -v turn="$turn" -v bytes="$bytes" "$write" < "$pipe" &
writer=$!
"$@" > "$pipe" 2>&1 &
pomerium=$!
trap 'kill -TERM "$pomerium" 2>/dev/null' TERM INT
# A signal ends wait early, with a code above 128: it is waited for again until it is gone.
while :; do
  wait "$pomerium"
  code=$?
  kill -0 "$pomerium" 2>/dev/null || break
done
wait "$writer"
rm -f "$pipe"
exit "$code"
