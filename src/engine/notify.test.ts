import { expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from '../../test/harness/wait.ts'
import { Notifier } from './notify.ts'

interface Stage extends Disposable {
  readonly notifier: Notifier
  readonly go: string
  lines(): string[]
  /** A notifier that writes down its message and waits until the file `go` exists. */
  tell(box: string, text: string, command?: string): void
}

function stage(options: { readonly maxMs?: number; readonly pauseMs?: number } = {}): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'coop-notify-'))
  const said = join(folder, 'said')
  const go = join(folder, 'go')
  const notifier = new Notifier({ log: () => {}, writable: () => [], pauseMs: 1, ...options })
  const waits = `echo "$COOP_TEXT" >>${said}; until [ -e ${go} ]; do sleep 0.02; done`
  return {
    notifier,
    go,
    lines: () => (existsSync(said) ? readFileSync(said, 'utf8').trim().split('\n') : []),
    tell: (box, text, command = waits) =>
      notifier.tell(command, { box, workspace: '/w', state: 'waiting', text }),
    [Symbol.dispose]: () => {
      notifier.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

test('one runs at a time for a box, and the newest comes next', async () => {
  using t = stage()
  for (let at = 0; at < 100; at++) t.tell('box', `n${at}`)
  await waitUntil(() => t.lines().length === 1, 'the first one')
  for (let at = 100; at < 200; at++) t.tell('box', `n${at}`)
  writeFileSync(t.go, '')
  await waitUntil(() => t.lines().includes('n199'), 'the newest')
  expect(t.lines()).toEqual(['n0', 'n199'])
})

test('what is not true any more is not told', async () => {
  using t = stage()
  t.tell('box', 'first')
  t.tell('box', 'answered')
  await waitUntil(() => t.lines().length === 1, 'the first one')
  t.notifier.forget('box')
  t.tell('other', 'another box')
  writeFileSync(t.go, '')
  await waitUntil(() => t.lines().includes('another box'), 'the other box')
  t.tell('box', 'last')
  await waitUntil(() => t.lines().includes('last'), 'the last one')
  expect(t.lines()).not.toContain('answered')
})

test('four run at once, however many boxes there are, and each box has its turn', async () => {
  using t = stage()
  const boxes = Array.from({ length: 12 }, (_, at) => `box${at}`)
  for (const box of boxes) t.tell(box, box)
  await waitUntil(() => t.lines().length >= 4, 'the first ones')
  expect(t.lines().toSorted()).toEqual(boxes.slice(0, 4))
  writeFileSync(t.go, '')
  await waitUntil(() => t.lines().length === boxes.length, 'all of them')
  expect(t.lines().toSorted()).toEqual(boxes.toSorted())
})

test('there is a pause between two of one box', async () => {
  const pauseMs = 300
  using t = stage({ pauseMs })
  writeFileSync(t.go, '')
  const began = performance.now()
  t.tell('box', 'one')
  t.tell('box', 'two')
  await waitUntil(() => t.lines().includes('two'), 'the second one')
  expect(performance.now() - began).toBeGreaterThanOrEqual(pauseMs)
})

/** A notifier of two processes, one of them in the background. */
async function hang(t: Stage): Promise<number[]> {
  const pids = join(t.go, '..', 'pids')
  t.tell('box', 'hangs', `sleep 1000 & echo $! $$ >${pids}.new; mv ${pids}.new ${pids}; sleep 1000`)
  await waitUntil(() => existsSync(pids), 'the notifier')
  return readFileSync(pids, 'utf8').trim().split(' ').map(Number)
}

const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}/cmdline`)

test('one that hangs is ended with all that it started, and the next one has its turn', async () => {
  using t = stage({ maxMs: 1_000 })
  const pids = await hang(t)
  t.tell('box', 'next')
  await waitUntil(() => t.lines().includes('next'), 'the next one')
  expect(pids).toHaveLength(2)
  expect(pids.every(isGone)).toBe(true)
})

test('one that leaves something in the background runs as long as that does', async () => {
  using t = stage({ maxMs: 1_000 })
  t.tell('box', 'leaves', 'sleep 1000 &')
  t.tell('box', 'next')
  const began = performance.now()
  await waitUntil(() => t.lines().includes('next'), 'the next one')
  expect(performance.now() - began).toBeGreaterThan(500)
})

test('none outlives the daemon', async () => {
  using t = stage()
  const pids = await hang(t)
  t.notifier.end()
  await waitUntil(() => pids.every(isGone), 'their end')
})
