import { describe, expect, test } from 'bun:test'
import { addressesOf, listenAt } from './listen.ts'

/** A server that fails at these addresses. */
function listener(failures: Record<string, string>) {
  const open: string[] = []
  const listen = (address: string) => {
    const code = failures[address]
    if (code) throw Object.assign(new Error(code), { code })
    open.push(address)
    return { stop: () => void open.splice(open.indexOf(address), 1) }
  }
  return { open, listen }
}

describe('a server for this machine', () => {
  test('takes its port at both addresses of localhost', () => {
    for (const host of ['127.0.0.1', 'localhost', '::1']) {
      const { open, listen } = listener({})
      expect(listenAt(host, 8888, listen)).toHaveLength(2)
      expect(open.toSorted()).toEqual(['127.0.0.1', '::1'])
    }
    expect(addressesOf('0.0.0.0')).toContain('::1')
    expect(addressesOf('192.0.2.1')).toEqual(['192.0.2.1'])
  })

  test('needs no IPv6', () => {
    const { open, listen } = listener({ '::1': 'EADDRNOTAVAIL' })
    expect(listenAt('127.0.0.1', 8888, listen)).toHaveLength(1)
    expect(open).toEqual(['127.0.0.1'])
  })

  test('does not start beside another program at either address', () => {
    for (const taken of ['127.0.0.1', '::1']) {
      const { open, listen } = listener({ [taken]: 'EADDRINUSE' })
      expect(() => listenAt('127.0.0.1', 8888, listen)).toThrow(
        `another program listens on ${taken} port 8888`,
      )
      expect(open).toEqual([])
    }
  })
})
