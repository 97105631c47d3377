import { describe, expect, test } from 'bun:test'
import { type Listener, listenersByFile, ownListeners, parseListeners, readDiag } from './listeners.ts'

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const line = (address: string, state: string, inode: string): string =>
  `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000`

test('listening sockets and the addresses that reach them are read from the kernel’s text', () => {
  const lines = [
    HEAD,
    line('0100007F:1F90', '0A', '11'),
    line('00000000:0050', '0A', '12'),
    line('3500007F:0035', '0A', '13'),
    line('0501A8C0:0051', '0A', '14'), // 192.168.1.5, which loopback does not reach
    line('00000000000000000000000000000000:1F91', '0A', '15'),
    line('00000000000000000000000001000000:1F92', '0A', '16'),
    line('0000000000000000FFFF00000100007F:1F93', '0A', '17'),
    line('B80D0120000000000000000001000000:1F94', '0A', '18'), // 2001:db8::1
    line('0100007F:1F95', '01', '19'), // a connection
    line('0100007F:1F96', '0A', '0'), // being closed
  ]
  expect(parseListeners(lines.join('\n'))).toEqual([
    { port: 8080, inode: 11, address: '127.0.0.1' },
    { port: 80, inode: 12, address: '127.0.0.1' },
    { port: 53, inode: 13, address: '127.0.0.53' },
    { port: 8081, inode: 15, address: '::1' },
    { port: 8082, inode: 16, address: '::1' },
    { port: 8083, inode: 17, address: '127.0.0.1' },
  ])
})

describe('the kernel', () => {
  const socket = { data() {} }

  test('tells both ways of the same sockets', () => {
    using one = Bun.listen({ hostname: '127.0.0.1', port: 0, socket })
    using two = Bun.listen({ hostname: '0.0.0.0', port: 0, socket })
    const ports = [one.port, two.port]
    const mine = (listeners: Listener[]): Listener[] => listeners.filter(({ port }) => ports.includes(port))
    const asked = mine(ownListeners())
    expect(asked).toHaveLength(2)
    expect(asked.map(({ address }) => address)).toEqual(['127.0.0.1', '127.0.0.1'])
    const byPort = (list: Listener[]): Listener[] => list.toSorted((a, b) => a.port - b.port)
    expect(byPort(mine(listenersByFile(process.pid)))).toEqual(byPort(asked))
  })
})

test('an answer that breaks off, and a refusal, are no sockets', () => {
  expect(readDiag(Buffer.alloc(0))).toEqual({ listeners: [], isDone: false, isRefused: false })
  const refusal = Buffer.alloc(36)
  refusal.writeUInt32LE(36, 0)
  refusal.writeUInt16LE(2, 4)
  expect(readDiag(refusal)).toMatchObject({ listeners: [], isRefused: true })
  const cut = Buffer.alloc(40)
  cut.writeUInt32LE(88, 0)
  cut.writeUInt16LE(20, 4)
  expect(readDiag(cut).listeners).toEqual([])
})
