import { expect, test } from 'bun:test'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { testPaths } from '../disk/testing.ts'
import { socketsIn, socketsText } from './sockets-in.ts'

async function withSocket(path: string, work: () => void): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(path, resolve))
  try {
    work()
  } finally {
    server.close()
  }
}

test('sockets and fifos are found by their paths, files and links are none', async () => {
  using t = testPaths()
  mkdirSync(join(t.top, 'a/b'), { recursive: true })
  writeFileSync(join(t.top, 'a/file'), '')
  expect(socketsIn(t.top)).toEqual([])
  expect(socketsText(t.top)).toBeUndefined()
  const socket = join(t.top, 'a/b/s')
  symlinkSync(socket, join(t.top, 'link'))
  Bun.spawnSync(['mkfifo', join(t.top, 'fifo')])
  await withSocket(socket, () => {
    expect(socketsIn(t.top)).toEqual([join(t.top, 'fifo'), socket])
    expect(socketsText(t.top)).toContain(socket)
    expect(socketsIn(t.top, { depth: 2, entries: 100 })).toEqual([join(t.top, 'fifo')])
  })
})

test('a large folder costs no more than its bounds, and names no more than a sentence holds', () => {
  using t = testPaths()
  for (let i = 0; i < 20; i++) Bun.spawnSync(['mkfifo', join(t.top, `fifo${i}`)])
  expect(socketsIn(t.top)).toHaveLength(3)
  expect(socketsIn(t.top, { depth: 1, entries: 0 })).toEqual([])
  expect(socketsIn(join(t.top, 'missing'))).toEqual([])
})

test('a loop of links is not walked', () => {
  using t = testPaths()
  symlinkSync('.', join(t.top, 'self'))
  expect(socketsIn(t.top)).toEqual([])
})
