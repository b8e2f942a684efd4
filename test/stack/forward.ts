import { connect, createServer } from 'node:net'

/** Takes connections from everywhere in the container and passes them on to a port of its loopback, where the stand-ins listen. */
export function forward(port: number, to: number): void {
  createServer((socket) => {
    const target = connect(to, '127.0.0.1')
    for (const [from, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      from.pipe(other)
      from.on('error', () => other.destroy())
    }
  }).listen(port, '0.0.0.0')
}
