#!/busybox/sh
# Runs Pomerium, and puts its log into files that audit follow reads and into the container's own log: SIGTERM reaches it, its exit code is the container's, and
# the last lines are written before it ends. A file of LOG_BYTES becomes pomerium.log.1, and LOG_FILES of them are kept; whole lines alone, none lost between two.
set -u
file=${LOG_FILE:-/var/log/pomerium/pomerium.log}
pipe=$(mktemp -u) || exit 1
mkfifo -m 600 "$pipe" || exit 1

write='
function turn(i) {
  close(file)
  for (i = keep - 1; i > 0; i--) system("mv -f " file "." i " " file "." (i + 1) " 2>/dev/null")
  system("mv -f " file " " file ".1")
  bytes = 0
}
{
  print >> file; fflush(file)
  print; fflush()
  bytes += length($0) + 1
  if (bytes >= most) turn()
}'
# What an earlier start has written counts.
bytes=0
[ -f "$file" ] && bytes=$(wc -c < "$file")
LC_ALL=C awk -v file="$file" -v most="${LOG_BYTES:-67108864}" -v keep="${LOG_FILES:-8}" -v bytes="$bytes" "$write" < "$pipe" &
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
