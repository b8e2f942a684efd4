/** Something that works in the background. Both can be called twice. */
export interface Lifecycle {
  start(): Promise<void>
  stop(): Promise<void>
}
