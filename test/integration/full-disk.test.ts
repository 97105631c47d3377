/** A box that has filled its disk: this daemon and the next can stop it, look at it and remove it. */
import { describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { type Invoker, invokers } from '../harness/users.ts'
import { box, expectRefusal, output, startBox } from './support.ts'

const root = needsAll({ root: process.getuid?.() === 0 })

/** With a small file system of its own for the boxes. */
async function withFullDisk(invoker: Invoker, work: (t: Scratch) => Promise<void>): Promise<void> {
  await using t = await scratch(invoker, { git: false })
  const options = `size=8m,mode=700,uid=${invoker.uid},gid=${invoker.gid}`
  Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', options, 'coop-test', t.dataDir])
  try {
    await startBox(t)
    expect((await t.coop(['exec', 'sh', '-c', 'head -c 20M /dev/zero >/var/tmp/big'])).code).toBe(1)
    await work(t)
    output(await t.coop(['kill', '--all', '-f']))
    output(await t.coop(['system', 'shutdown']))
  } finally {
    Bun.spawnSync(['umount', '--lazy', t.dataDir])
  }
}

/** Starts the box when no page of the disk is free. */
function startOnFull(t: Scratch, filler: string): Promise<RunResult> {
  Bun.spawnSync([
    'dd',
    'if=/dev/zero',
    `of=${filler}`,
    'bs=4096',
    'oflag=append',
    'conv=notrunc',
    'status=none',
  ])
  return t.coop(['start'])
}

describe.each(invokers)('as $name', (invoker) => {
  const can = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const skip = can.missing || root.missing
  const note = `${can.note}${root.note}`

  test.skipIf(skip)(`a box that cannot be started again counts as stopped, and can be removed${note}`, () =>
    withFullDisk(invoker, async (t) => {
      output(await t.coop(['stop', '-f']))
      // Meanwhile the trash of ended boxes is deleted, and its space is enough for a start.
      const filler = join(t.dataDir, 'filler')
      let start = await startOnFull(t, filler)
      for (let tries = 0; start.code === 0 && tries < 20; tries++) {
        output(await t.coop(['stop', '-f']))
        start = await startOnFull(t, filler)
      }
      expectRefusal(start, { code: 1, sentence: /no space is left/, hint: /free/ })
      rmSync(filler)
      expect((await box(t)).state).toBe('stopped')
      output(await t.coop(['system', 'shutdown']))
      expect((await box(t)).state).toBe('stopped')
      output(await t.coop(['kill', '-f']))
      await startBox(t) // there is room again
    }),
  )
})
