/** Something that works in the background. Both can be called twice. */
// @ts-nocheck

export interface Lifecycle {
  start(): Promise<void>
  stop(): Promise<void>
}
