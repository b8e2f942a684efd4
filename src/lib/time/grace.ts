/** How late a timer may be before the time is not counted, as a share of it. */
const LATE_SHARE = 0.25

/**
 * Calls `over` after that time, of which this process was there for the whole: a timer that comes late says that the process did not run meanwhile (a loaded machine, a frozen
 * container), and what has arrived is still to be read, so the time begins again. The function given back calls it off.
 */
export function startGrace(graceMs: number, over: () => void): () => void {
  let timer: NodeJS.Timeout
  const arm = () => {
    const due = performance.now() + graceMs
    timer = setTimeout(() => {
      if (performance.now() - due > graceMs * LATE_SHARE) arm()
      else over()
    }, graceMs)
  }
  arm()
  return () => clearTimeout(timer)
}
