/** How the configuration of a process stands to its file. */
export interface ConfigState {
  /** As it was named; undefined where there is none. */
  file: string | undefined
  /** Of the text that was read last without a fault; empty without a file. */
  digest: string
  /** Keys whose values in the file are in force after a restart alone. */
  waiting: readonly string[]
  /** What is wrong with the file now; what was in force before stays. */
  fault: string | undefined
}
