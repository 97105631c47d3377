/** User errors: a sentence, a hint, the right exit code, and nothing left behind. */
import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RunResult } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { boxes, expectRefusal, needed, nothingLeft, output, shell, startBox } from './support.ts'

interface Expected {
  /** The options of commands other than `run`. */
  readonly code: number
  readonly sentence: RegExp
  readonly hint: RegExp
}

/** The same error from `coop run` (125), `coop -d` and `coop run --plan`, without a trace of a box. */
async function refused(t: Scratch, flags: readonly string[], expected: Expected): Promise<void> {
  const run = await t.coop(['run', ...flags, '--', 'true'])
  expectRefusal(run, { ...expected, code: 125 })
  expectRefusal(await t.coop(['-d', ...flags]), expected)
  expectRefusal(await t.coop(['run', '--plan', ...flags]), expected)
  await nothingLeft(t)
  expect(await boxes(t)).toEqual([])
}

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)

  const toml = (what: string, text: string, sentence: RegExp, hint: RegExp) =>
    test.skipIf(can.missing)(`coop.toml: ${what}${can.note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('coop.toml', text)
      const where = { code: 2, sentence, hint }
      await refused(t, [], where)
      expectRefusal(await t.coop(['config']), where)
    })
  toml('broken', '[sandbox\nimage = "host"\n', /coop\.toml:1:\d+: this is not TOML/, /line 1/i)
  toml('an unknown key', '[sandbox]\n\nimgae = "host"\n', /coop\.toml:3:.*imgae/, /"image"/)
  toml('an unknown table', '[sandbx]\nimage = "host"\n', /coop\.toml:1:.*sandbx/, /sandbox/)
  toml('a wrong type', '[session]\nauto_restart = "yes"\n', /coop\.toml:2:.*auto_restart.*"yes"/, /./)
  toml('a bad value', '[network]\nmode = "hots"\n', /coop\.toml:2:.*network\.mode|mode/, /host/)
  toml('a key in the wrong table', '[sandbox]\nmode = "none"\n', /coop\.toml:2:.*mode/, /network/)

  test.skipIf(can.missing)(
    `an error for a well-formed, unusable value names its place${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const said = async (text: string, code: number, sentence: string) => {
        t.write('coop.toml', `# A comment.\n${text}\n`)
        const place = `coop: ${t.workspace}/coop.toml:3: `
        const { stderr, ...result } = await t.coop(['-d', '--trust'])
        expect(result).toMatchObject({ code })
        expect(stderr).toStartWith(`${place}${sentence}`)
        expect(stderr).toMatch(/\nhint: /)
      }
      await said('[limits]\nmemory = "1g"', 7, 'limits.memory has no effect')
      await said('[network]\nallow = ["example.com"]', 7, 'network.allow has no effect')
      await said('[network]\nmode = "veth"', 7, 'network mode "veth"')
      await said('[sandbox]\nmounts = ["/no/such:/x"]', 1, '/no/such cannot be mounted')
      await said('[sandbox]\nimage = "rootfs:/no/such"', 5, 'there is no root file system at /no/such')
      await said('[sandbox]\nimage = "Not/an/image"', 5, '"Not/an/image" is not the name of an image')
      await said('[sandbox]\nsetup = ["true"]', 5, 'sandbox.setup needs an image of layers')
      await said('[sandbox]\nagent = "cladue"', 1, 'there is no agent or command named')
      await said('[sandbox]\nagent = "aider"', 1, 'the agent aider is not installed')
      t.write('coop.toml', '')
      expectRefusal(await t.coop(['-d'], { env: { COOP_AGENT: 'aider' } }), {
        code: 1,
        sentence: /^coop: COOP_AGENT: the agent aider/,
        hint: /install/i,
      })
      t.write('../../config/default.toml', '[limits]\nmemory = "1g"\n')
      const { stderr } = await t.coop(['-d'])
      expect(stderr).toContain(`${t.configDir}/default.toml:2: limits.memory has no effect`)
      await nothingLeft(t)
    },
  )

  test.skipIf(can.missing)(`an agent that is not installed, or mistyped${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const say = async (agent: string, sentence: RegExp, hint: RegExp) => {
      expectRefusal(await t.coop(['-d', '--agent', agent]), { code: 1, sentence, hint })
      await nothingLeft(t)
    }
    await say('aider', /aider.*not installed/, /install/i)
    await say('cladue', /cladue/, /claude/)
    await say('sh -c "open', /quote/i, /./)
    expect(await boxes(t)).toEqual([])
  })

  test.skipIf(can.missing)(`a workspace that is gone, a file, or home${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const file = t.write('file', '')
    await refused(t, ['-w', '/no/such/folder'], { code: 1, sentence: /\/no\/such\/folder/, hint: /./ })
    await refused(t, ['-w', file], { code: 1, sentence: /file/, hint: /./ })
    await refused(t, ['-w', t.home], { code: 1, sentence: /home/i, hint: /./ })
    for (const folder of ['/', '/etc', '/proc', '/usr', t.folder('home/.ssh'), t.dataDir, '/tmp/..'])
      await refused(t, ['-w', folder], { code: 1, sentence: /./, hint: /./ })
    // Through a link, too.
    output(await t.run(['ln', '-s', t.home, 'link']))
    await refused(t, ['-w', join(t.workspace, 'link')], { code: 1, sentence: /home/i, hint: /./ })
  })

  test.skipIf(can.missing)(`a current folder that is gone${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const command of ['run -- true', '-d', 'status', 'exec true', 'init', 'config', 'kill']) {
      const gone = t.folder('home/gone')
      const { code, stderr } = await shell(t, `cd ${gone} && rmdir ${gone} && coop ${command}`)
      // Bun itself refuses to start in such a folder, before the first line of coop.
      expect(stderr).toMatch(/directory was deleted|folder/)
      expect(stderr).not.toMatch(/\bat .*:\d+/)
      expect(code).not.toBe(0)
    }
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`a name that is taken, or invalid${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const other = t.folder('home/other')
    await startBox(t, { name: 'taken' })
    expectRefusal(await t.coop(['-d', '-n', 'taken', '-w', other]), {
      code: 1,
      sentence: /taken/,
      hint: /coop attach taken/,
    })
    expectRefusal(await t.coop(['run', '-n', 'taken', '--', 'true']), {
      code: 125,
      sentence: /taken/,
      hint: /name/,
    })
    for (const name of ['Bad', '../x', '.', '', '-x', 'a b', 'x'.repeat(41), 'ü', 'a/b'])
      expectRefusal(await t.coop(['-d', `--name=${name}`, '-w', other]), {
        code: 2,
        sentence: /name/,
        hint: /lowercase/,
      })
    expect(readdirSync(join(t.dataDir, 'boxes'))).toEqual(['taken'])
    // The box of a folder keeps its name.
    const again = await t.coop(['-d', '-n', 'new'])
    if (again.code === 0) expect(await boxes(t)).toHaveLength(2)
    else expectRefusal(again, { code: 1, sentence: /taken/, hint: /./ })
  })

  test.skipIf(can.missing)(`a missing image or root file system${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const empty = t.folder('empty')
    await refused(t, ['--image', 'debian:latest'], { code: 5, sentence: /debian:latest/, hint: /./ })
    await refused(t, ['--image', 'rootfs:/no/such'], { code: 5, sentence: /\/no\/such/, hint: /./ })
    await refused(t, ['--image', `rootfs:${empty}`], { code: 5, sentence: /usr/, hint: /./ })
    await refused(t, ['--network', 'hots'], {
      code: 2,
      sentence: /one of "host", "none", not/,
      hint: /"host"/,
    })
  })

  test.skipIf(can.missing)(`an image without the command, or with a file in the way${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const root = t.folder('image')
    t.folder('image/usr/bin')
    const flags = ['--image', `rootfs:${root}`]
    expect(await t.coop(['run', ...flags, '--', 'true'])).toMatchObject({ code: 127 })
    t.write(join(root, 'proc'), 'a file')
    const { code, stderr } = await t.coop(['run', ...flags, '--', 'true'])
    expect(code).toBe(125)
    expect(stderr).toMatch(/^coop: .*proc/)
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(`mounts that are missing or sensitive${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.folder('home/.aws')
    const mounts = async (line: string, sentence: RegExp, code = 1) => {
      t.write('coop.toml', `[sandbox]\nmounts = ["${line}"]\n`)
      await refused(t, [], { code, sentence, hint: /./ })
    }
    await mounts('/no/such:/x', /\/no\/such/)
    await mounts('~/.aws:~/.aws', /\.aws/)
    await mounts('~:/host-home', /~/)
    await mounts('/:/host', /\//)
    await mounts(`${t.runtimeDir}:/x`, /./)
    await mounts('./:/proc/x', /\/proc/, 2) // a value that no target can have
  })

  test.skipIf(can.missing)(`a missing box: exit 3${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    for (const command of ['status', 'kill', 'restart']) {
      expectRefusal(await t.coop([command]), { code: 3, sentence: /no box/, hint: /coop/ })
      expectRefusal(await t.coop([command, 'nope']), { code: 3, sentence: /nope/, hint: /coop ls/ })
      expectRefusal(await t.coop([command, '/no/such/folder']), {
        code: 3,
        sentence: /\/no\/such/,
        hint: /coop ls/,
      })
    }
  })

  test.skipIf(can.missing)(`a name or path that is too long${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('../f', 'x')
    const long = `/${'x/'.repeat(2100)}`
    const sentence = /too long/
    for (const command of [['status'], ['kill'], ['-d', '-w'], ['logs'], ['snapshot', 'ls']]) {
      const { code, stderr } = await t.coop([...command, long])
      expect({ code, stderr }).toMatchObject({ stderr: expect.stringMatching(sentence) })
    }
    expectRefusal(await t.coop(['exec', '--cwd', long, 'true']), { code: 125, sentence, hint: /./ })
    expectRefusal(await t.coop(['run', '-w', long, 'true']), { code: 125, sentence, hint: /./ })
    expectRefusal(await t.coop(['run', '--image', `x${long}`, 'true']), { code: 125, sentence, hint: /./ })
    expectRefusal(await t.coop(['-d', '-w', `/${'x'.repeat(300)}`]), { code: 1, sentence, hint: /./ })
    expectRefusal(await t.coop(['cp', '../f', `:${long}`]), { code: 2, sentence, hint: /./ })
    expectRefusal(await t.coop(['cp', `:${long}`, '..']), { code: 2, sentence, hint: /./ })
    expect(await boxes(t)).toHaveLength(1)
  })

  test.skipIf(can.missing)(`hostile text is shown harmlessly${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const hostile = '\x1b]0;title\x07\x1b[2J\r\n\u202eevil'
    const said: RunResult[] = [
      await t.coop(['run', '--', hostile]),
      await t.coop(['run', '--image', hostile, '--', 'true']),
      await t.coop(['-d', '--agent', `./${hostile}`]),
      await t.coop(['status', hostile]),
      await t.coop([hostile]),
      await t.coop(['run', '-w', `/no/${hostile}`, '--', 'true']),
    ]
    for (const { stderr } of said) expect(stderr).not.toMatch(/[\x1b\x07\r\u202e]/)
  })
})
