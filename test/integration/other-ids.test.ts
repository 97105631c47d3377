/** Files in the workspace that belong to other ids of a box: how their user gets rid of them. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { output } from './support.ts'

describe.each(invokers)('as $name', (invoker) => {
  const can = needsAll({ 'subordinate ids': invoker.hasRange, 'user namespaces': canMakeNamespaces(invoker) })

  test.skipIf(can.missing)(`the command of the manual removes them${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const left = join(t.workspace, 'left')
    const make = 'mkdir -m 700 -p left/in && touch left/in/file && chown -R 1000:1000 left'
    output(await t.coop(['run', '--', 'sh', '-c', make]))
    expect(statSync(left).uid).not.toBe(invoker.uid)
    if (invoker.uid !== 0) expect((await t.run(['rm', '-rf', left])).code).toBe(1)
    const [, command = ''] = /`coop (run -- rm -rf \w+)`/.exec(readFileSync('docs/boxes.md', 'utf8')) ?? []
    output(await t.coop(command.replace(/\w+$/, 'left').split(' ')))
    expect(existsSync(left)).toBe(false)
  })
})
