/** A breaking line to a registry: it cuts each of the first connections after some bytes of the answer. */
import { connect, createServer, type Server, type Socket } from 'node:net'

export class CuttingProxy implements Disposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** How many connections were cut. */
  cuts = 0
  host = ''
  /** Resolves when a connection has sent its share and hangs. */
  readonly stalled: Promise<void>

  /** Connection i breaks after `after[i]` bytes, later ones never do; all hang after `stall` bytes. */
  private constructor(target: string, after: readonly number[], stall: number) {
    const [hostname = '', port = ''] = target.split(':')
    const limits = [...after]
    const { promise, resolve } = Promise.withResolvers<void>()
    this.stalled = promise
    this.#server = createServer((client) => {
      const limit = limits.shift() ?? Number.POSITIVE_INFINITY
      let sent = 0
      const upstream = connect(Number(port), hostname)
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(socket)
        socket.on('error', () => other.destroy())
        socket.on('close', () => {
          this.#sockets.delete(socket)
          if (socket === upstream) client.end()
          if (socket === upstream && sent < limit)
            limits.push(limit) // the turn of another connection
          else upstream.destroy()
        })
      }
      client.on('data', (bytes) => upstream.write(bytes))
      upstream.on('data', (bytes: Buffer) => {
        if (sent + bytes.length >= stall) {
          upstream.pause()
          resolve()
          return
        }
        const part = bytes.subarray(0, limit - sent)
        sent += part.length
        if (part.length === bytes.length && sent < limit) {
          if (!client.write(part)) {
            upstream.pause()
            client.once('drain', () => upstream.resume())
          }
          return
        }
        this.cuts++
        upstream.removeAllListeners('data')
        client.write(part, () => {
          client.destroy()
          upstream.destroy()
        })
      })
    })
  }

  static async start(
    target: string,
    after: readonly number[],
    stall = Number.POSITIVE_INFINITY,
  ): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target, after, stall)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    proxy.host = `127.0.0.1:${(proxy.#server.address() as { port: number }).port}`
    return proxy
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
