/** The socket that clients connect to. */
import { chmodSync, rmSync, statSync } from 'node:fs'
import type { Socket } from 'bun'
import { peerCredentials } from '../../ffi/descriptors.ts'
import { daemonSocket, type Paths } from '../core/paths.ts'
import { Client, type Handler } from '../session/client.ts'
import { UnixTransport } from '../session/unix-transport.ts'

/** Returns whether the process at the other end of a connection belongs to this daemon's user. */
function isOwner(socket: number): boolean {
  return peerCredentials(socket).uid === process.getuid?.()
}

export interface Gate {
  /** Returns whether clients can still find the socket. */
  isThere(): boolean
  close(): void
}

export function openGate(paths: Paths, handler: Handler, clients: Set<Client>, came: () => void): Gate {
  const path = daemonSocket(paths)
  rmSync(path, { force: true })
  const listener = Bun.listen<UnixTransport | undefined>({
    unix: path,
    data: undefined,
    socket: {
      open(socket) {
        // The folder is 0700 and the umask 077; this check also holds when somebody changed either.
        if (!isOwner((socket as unknown as { fd: number }).fd)) {
          socket.end()
          return
        }
        const transport = new UnixTransport(socket as Socket<UnixTransport | undefined>)
        const client = new Client(transport, handler, paths.dataDir)
        transport.serve(client)
        socket.data = transport
        clients.add(client)
        came()
      },
      data: (socket, bytes) => socket.data?.data(bytes),
      drain: (socket) => socket.data?.drain(),
      close: (socket) => socket.data?.gone(),
      error: (socket) => socket.data?.gone(),
    },
  })
  chmodSync(path, 0o600)
  const { ino } = statSync(path)
  return {
    isThere: () => statSync(path, { throwIfNoEntry: false })?.ino === ino,
    close: () => listener.stop(),
  }
}
