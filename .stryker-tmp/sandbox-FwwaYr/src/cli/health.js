// @ts-nocheck
// For a container's health check: exit code 0 when the process beside it answers.
fetch('http://127.0.0.1:8480/livez', { signal: AbortSignal.timeout(4000) }).then(
  (answer) => process.exit(answer.ok ? 0 : 1),
  () => process.exit(1),
)
