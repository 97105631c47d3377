/** `-m SRC[:DST[:ro]]`: mounts for one box, from the command line. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { expectRefusal, needed, output } from './support.ts'

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`-m mounts files, folders and volumes into one box${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const data = t.folder('home/data')
    t.write(join(data, 'here'), 'data\n')
    t.write(join(t.home, 'tool'), '#!/bin/sh\necho tool\n', 0o755)
    const cwd = t.folder('home/data/below')
    const show = `cat /d/here; echo new >/d/made; touch /ro/x; mine; echo kept >/v/f; cat ${data}/here; pwd`
    const mounts = ['-m', '..:/d', '--mount=..:/ro:ro', '-m', '~/tool:~/.local/bin/mine:ro']
    const same = ['-m', data, '-m', 'things:/v']
    const run = await t.coop(['run', '-w', t.workspace, ...mounts, ...same, '--', 'sh', '-c', show], { cwd })
    expect(run.stdout).toBe(`data\ntool\ndata\n${t.workspace}\n`)
    expect(run.stderr).toMatch(/\/ro\/x'?: Read-only file system/)
    expect(readFileSync(join(data, 'made'), 'utf8')).toBe('new\n')
    expect(existsSync(join(data, 'x'))).toBe(false)
    expect(output(await t.coop(['run', '-m', 'things:/v', 'cat', '/v/f']))).toBe('kept\n')

    const rows: { key: string; origin: string }[] = JSON.parse(
      output(await t.coop(['config', '--json', '-m', './x:/x'])),
    )
    expect(rows.find(({ key }) => key.startsWith('sandbox.mounts'))).toMatchObject({
      origin: 'flag --mount',
    })

    // The checks are those of the configuration.
    const refused = async (mount: string, sentence: RegExp, code = 1) =>
      expectRefusal(await t.coop(['-d', '-m', mount], { cwd: data }), { code, sentence, hint: /./ })
    await refused('./nowhere:/x', /nowhere cannot be mounted: it does not exist/)
    await refused(t.home, /is not mounted into boxes: /)
    await refused('~/.ssh:/x', /is not mounted into boxes: |does not exist/)
    await refused('below', /names a volume, but no place in the box/, 2)
    await refused('./below:/proc', /must be a path in the box/, 2)
  })

  test.skipIf(can.missing)(`a box keeps its mounts, and another one is refused${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const data = t.folder('home/data')
    t.write(join(data, 'here'), 'data\n')
    const start = ['-d', '-n', 'box', '--agent', 'sleep infinity']
    output(await t.coop([...start, '-m', `${data}:/d`]))
    const here = ['exec', 'box', '--', 'cat', '/d/here']
    expect(output(await t.coop(here))).toBe('data\n')
    expect(output(await t.coop([...start, '-m', `${data}:/d`]))).toContain('running already')
    for (const [mount, has] of [
      [`${data}:/d:ro`, `${data}:/d`],
      [`${data}:/e`, 'none'],
    ] as const)
      expectRefusal(await t.coop([...start, '-m', mount]), {
        code: 1,
        sentence: new RegExp(`exists already, without --mount ${mount} \\(it has ${has}\\)`),
        hint: /--recreate/,
      })
    output(await t.coop(['stop', '-f', 'box']))
    output(await t.coop(['start', 'box']))
    expect(output(await t.coop(here))).toBe('data\n')
    output(await t.coop([...start, '--recreate', '-m', `${data}:/e`]))
    expect(output(await t.coop(['exec', 'box', '--', 'cat', '/d/here', '/e/here']))).toBe('data\ndata\n')
  })
})
