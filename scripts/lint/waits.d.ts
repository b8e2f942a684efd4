export interface Wait {
  what: string
  needs: string
  bounded: boolean
}

export function waitOf(node: object, room: string): Wait | undefined
