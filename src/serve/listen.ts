/** Listening at the page's address, and at its twin. */
import { errnoOf } from '../core/errno.ts'
import { CoopError } from '../core/errors.ts'

const NO_IPV6 = ['EADDRNOTAVAIL', 'EAFNOSUPPORT']

/**
 * The addresses for a host. Browsers look for `localhost` and names below it at ::1 first: if only 127.0.0.1 were
 * taken, a program in a box on the host's network could take the port at ::1 and be sent what is meant for coop.
 */
export function addressesOf(host: string): readonly string[] {
  if (host === '127.0.0.1' || host === 'localhost') return ['127.0.0.1', '::1']
  if (host === '::1') return ['::1', '127.0.0.1']
  return host === '0.0.0.0' ? ['0.0.0.0', '::1'] : [host]
}

/** Listens at all of them; on a machine without IPv6 there is no twin. Raises E_FAILED, and then listens nowhere. */
export function listenAt<S extends { stop(closes: boolean): unknown }>(
  host: string,
  port: number,
  listen: (address: string) => S,
): readonly S[] {
  const servers: S[] = []
  for (const address of addressesOf(host)) {
    try {
      servers.push(listen(address))
    } catch (error) {
      if (servers.length && NO_IPV6.includes(errnoOf(error) ?? '')) continue
      for (const server of servers) server.stop(true)
      throw cannotListen(error, address, port)
    }
  }
  return servers
}

function cannotListen(error: unknown, host: string, port: number): unknown {
  const code = errnoOf(error)
  const where = `${host} port ${port}`
  if (code === 'EADDRINUSE')
    return new CoopError('E_FAILED', `another program listens on ${where}`, {
      hint: `use another port: coop serve --port ${port === 65535 ? 8888 : port + 1}`,
      cause: error,
    })
  if (code === 'EACCES')
    return new CoopError('E_FAILED', `you may not listen on ${where}`, {
      hint: 'use a port from 1024 on: coop serve --port 8888',
      cause: error,
    })
  return new CoopError('E_FAILED', `coop cannot listen on ${where} (${code ?? String(error)})`, {
    hint: 'use an address of this machine: coop serve --host 127.0.0.1',
    cause: error,
  })
}
