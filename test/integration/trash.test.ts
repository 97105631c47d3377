/** Files of a removed box: all are deleted, of any owner and at any depth. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed, output, startBox } from './support.ts'

/** Deeper than any path can name; half-way it belongs to another id of the box, if there is one. */
const DEEP = `
import os, sys
os.mkdir('/opt/deep'); os.chdir('/opt/deep')
for i in range(900):
  os.mkdir('dddddd'); os.chdir('dddddd'); open('file', 'w').close()
  if i == 450 and sys.argv[1] == 'range': os.chown('.', 33, 44); os.chown('file', 33, 44)
`

/** Takes the daemon many seconds to delete. */
const NESTED = `
import os
os.chdir('/opt')
for i in range(12000): os.mkdir('d'); os.chdir('d')
`
/** A call took 5 to 18 s while the daemon deleted everything in one go. This is long also for a busy machine. */
const LONGEST_MS = 1500

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'python3')

  test.skipIf(can.missing)(`nothing of a box stays in the trash${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    const inside = async (...command: string[]) =>
      output(await t.coop(['exec', '-n', 'box', '--', ...command]))
    await inside('python3', '-c', DEEP, invoker.hasRange ? 'range' : 'single')
    const closed =
      'mkdir -m 0 /opt/closed; mkdir -p /opt/others/more; ln -s / /opt/others/link; mkfifo /opt/fifo'
    const others = 'chown -Rh 33:44 /opt/others /opt/closed; chmod 700 /opt/others'
    await inside('sh', '-ec', invoker.hasRange ? `${closed}; ${others}` : closed)
    output(await t.coop(['kill', '-f', 'box']))
    const trash = join(t.dataDir, 'trash')
    await waitUntil(
      () => existsSync(trash) && readdirSync(trash).length === 0,
      'the trash to be empty',
      30_000,
    )
    expect(existsSync(join(t.dataDir, 'boxes/box'))).toBe(false)
  })

  test.skipIf(can.missing)(
    `other boxes are served while the files of an ended one are deleted${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      output(await t.coop(['run', '--', 'python3', '-c', NESTED]))
      const trash = join(t.dataDir, 'trash')
      await waitUntil(() => existsSync(trash) && readdirSync(trash).length > 0, 'the box in the trash')
      let served = 0
      do {
        const began = performance.now()
        output(await t.coop(['ls']))
        expect(performance.now() - began).toBeLessThan(LONGEST_MS)
        served++
      } while (readdirSync(trash).length > 0)
      expect(served).toBeGreaterThan(1)
    },
    120_000,
  )
})
