/** `coop build`: the image and its setup steps, each built once. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, hasCommand, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, expectRefusal, nothingLeft, output, startBox } from '../integration/support.ts'
import { debian, debianNeeds, smallRoot } from './roots.ts'
import { layout, run, tools } from './support.ts'

const MADE_MS = 300_000
const INSTALL_MS = 240_000
const SECOND_BUILD_MS = 1000
let folder: string
let reference: string

beforeAll(() => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-build-')
  reference = `oci:${layout(folder, [smallRoot(folder)])}`
  run(['chmod', '-R', 'a+rX', folder])
}, MADE_MS)
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

function configure(t: Scratch, setup: readonly string[], image = reference): void {
  t.settings(`[sandbox]\nimage = ${JSON.stringify(image)}\nsetup = ${JSON.stringify(setup)}\n`)
}

interface Built {
  readonly steps: number
  readonly cached: number
}

async function build(t: Scratch, ...options: readonly string[]): Promise<Built> {
  return JSON.parse(output(await t.coop(['build', '--json', ...options], { timeoutMs: INSTALL_MS }))) as Built
}

// Matches across line breaks: the name of the image has a temporary folder in it and may be too long for the window.
const ASKED = /is\s+not\s+built\.\s+Build\s+it\s+now\?\s+\[y\/N\]/

describe.each(everyone)('as $name', (invoker) => {
  const possible = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const skip = tools.missing || possible.missing
  const said = `${tools.note}${possible.note}`

  test.skipIf(skip)(
    `steps build on each other; a changed step and later ones are built again${said}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const steps = [
        'mkdir /made',
        'echo two >/made/two',
        'cat /made/two >/made/three',
        'rm /etc/debian_version; ls /made >/made/list',
      ]
      configure(t, steps)
      expectRefusal(await t.coop(['-d']), { code: 5, sentence: /is not built/, hint: /coop build/ })
      const first = await t.coop(['build'], { timeoutMs: INSTALL_MS })
      expect(first.stderr).toContain('step 4/4: rm /etc/debian_version')
      expect(first.code).toBe(0)
      const look = 'cat /made/*; ls /etc/debian_version 2>&1; test -e /home/coop'
      const inBox = async () => output(await t.coop(['run', '--', 'sh', '-c', look]))
      expect(await inBox()).toMatch(/^list\nthree\ntwo\ntwo\ntwo\nls: .*No such/)
      const start = performance.now()
      expect(await build(t)).toMatchObject({ steps: 4, cached: 4 })
      expect(performance.now() - start).toBeLessThan(SECOND_BUILD_MS)
      // A running box keeps the files of its own build.
      await startBox(t)
      configure(t, [...steps.slice(0, 2), 'echo new >/made/three', ...steps.slice(3)])
      expect(await build(t)).toMatchObject({ steps: 4, cached: 2 })
      expect(await inBox()).toMatch(/^list\nthree\ntwo\nnew\ntwo\n/)
      expect(output(await t.coop(['exec', 'cat', '/made/three']))).toBe('two\n')
      expect(await build(t, '--no-cache')).toMatchObject({ steps: 4, cached: 0 })
      expect(output(await t.coop(['exec', 'cat', '/made/three']))).toBe('two\n')
    },
  )

  test.skipIf(skip)(`a step sees no variable of [env] or of the caller except a proxy${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const vary = (value: string): string =>
      t.settings(
        `[sandbox]\nimage = ${JSON.stringify(reference)}\nsetup = ["export -p >/seen"]\nagent = "claude"\n[env]\nTOKEN = "${value}"\nhttp_proxy = "http://proxy.test"\n`,
      )
    vary('first')
    expect(await build(t)).toMatchObject({ steps: 1, cached: 0 })
    vary('second')
    expect(await build(t)).toMatchObject({ steps: 1, cached: 1 })
    const seen = output(await t.coop(['run', '-e', 'TOKEN=third', '--', 'cat', '/seen']))
    const names = [...seen.matchAll(/^export (\w+)=/gm)].map(([, name]) => name)
    expect(names).toContain('http_proxy')
    // The test's own LANG is the caller's.
    for (const name of ['TOKEN', 'LANG', 'CLAUDE_CONFIG_DIR', 'IS_SANDBOX']) expect(names).not.toContain(name)
    expectRefusal(await t.coop(['build', '-e', 'A=1']), { code: 2, sentence: /no option -e/, hint: /./ })
  })

  test.skipIf(skip)(`a build is listed with its whole size and its workspace${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const other = t.folder('home/other')
    configure(t, ['head -c 3000000 /dev/urandom >/more'])
    output(await t.run(['ln', '-s', t.workspace, '../link']))
    await build(t, '-w', '../link')
    await startBox(t)
    expect(output(await t.coop(['ls']))).not.toContain('older build')
    expect(await build(t, '-w', other)).toMatchObject({ cached: 1 })
    const images = JSON.parse(output(await t.coop(['image', 'ls', '--json']))) as {
      size: number
      built?: unknown
    }[]
    const base = images.find(({ built }) => !built)
    const made = images.find(({ built }) => built)
    expect(made).toMatchObject({ built: { image: reference, workspaces: [other, t.workspace] } })
    expect((made?.size ?? 0) - (base?.size ?? 0)).toBeGreaterThanOrEqual(3_000_000)
    expect(output(await t.coop(['image', 'ls']))).toMatch(
      / {2}~\/other,(?: ~\/project$|[\s\S]* {2}~\/project$)/m,
    )
  })

  test.skipIf(skip)(
    `a failing step prints its exit code, and a box can look at its files${said}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      configure(t, [
        'echo good >/good',
        String.raw`echo half >/half; printf "50%%\r100%%\n"; echo "this went wrong" >&2; exit 7`,
      ])
      const { code, stderr } = await t.coop(['build'], { timeoutMs: INSTALL_MS })
      expect(code).toBe(5)
      expect(stderr).toMatch(/this went wrong/)
      expect(stderr).toMatch(/step 2 of setup ended with 7/)
      expect(stderr.includes('has one user id')).toBe(!invoker.hasRange)
      expect(stderr).toMatch(/^100%$/m) // of an overwritten line
      const [, log = '', image = ''] = /all of its output: (\S+); .*--image (\S+)/.exec(stderr) ?? []
      expect(readFileSync(log, 'utf8')).toBe('50%\r100%\nthis went wrong\n')
      rmSync(join(t.configDir, 'default.toml'))
      expect(output(await t.coop(['run', '--image', image, '--', 'cat', '/good', '/half']))).toBe(
        'good\nhalf\n',
      )
      configure(t, ['echo good >/good', 'echo whole >/whole'])
      expect(await build(t)).toMatchObject({ steps: 2, cached: 1 })
      await nothingLeft(t)
      output(await t.coop(['system', 'clean', '-f'])) // the output of the steps goes with their layers
      expect([...new Bun.Glob('**/*.log').scanSync({ cwd: t.dataDir, dot: true })]).toEqual([
        'logs/daemon.log',
      ])
    },
  )

  test.skipIf(skip)(`a build that is killed leaves nothing, and the next one finishes${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    configure(t, ['echo one >/one', 'echo started; test -e /go || sleep 60'])
    const killed = t.startCoop(['build'])
    for (let i = 0; !killed.stderr.includes('started') && i < 1000; i++) await Bun.sleep(20)
    killed.kill('SIGKILL')
    await killed.process.exited
    configure(t, ['echo one >/one', 'echo two >/two'])
    expect(await build(t)).toMatchObject({ steps: 2, cached: 1 })
    const top = join(t.dataDir, 'images/layers')
    const names = readdirSync(top).flatMap((kind) => readdirSync(join(top, kind)))
    expect(names.filter((name) => name.includes('.tmp-'))).toEqual([])
  })

  test.skipIf(skip)(`cleaning waits for a build, and keeps layers that boxes use${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const steps = [
      'echo one >/one',
      'echo it has "begun"; while ! test -e /tmp/go; do sleep 0.02; done; cat /one',
    ]
    configure(t, steps)
    const building = t.startCoop(['build'])
    await waitUntil(() => building.stderr.includes('it has begun'), 'the step to start')
    const cleaning = t.startCoop(['system', 'clean', '-f', '--all'])
    await waitUntil(() => cleaning.stderr.includes('another coop pulls or builds'), 'the cleaning to wait')
    building.kill('SIGINT')
    await building.finished()
    expect((await cleaning.finished()).stdout).toMatch(/^removed 1 image, 2 layers;/)

    configure(t, steps.slice(0, 1))
    await build(t)
    await startBox(t)
    const rm = ['image', 'rm', reference]
    expectRefusal(await t.coop(rm), { code: 5, sentence: /the box box uses the image oci:/, hint: /--force/ })
    expect(output(await t.coop(['system', 'clean', '-f', '--all']))).toMatch(/^removed 0 images, 0 layers;/)
    output(await t.coop(['stop']))
    output(await t.coop(['start'])) // all of it is still there
    output(await t.coop([...rm, '--force']))
    expect(output(await t.coop(['exec', 'cat', '/one']))).toBe('one\n')
  })

  test.skipIf(skip || !hasCommand('tmux'))(`Ctrl+C in a step prints what is kept${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    configure(t, ['echo one >/one', 'echo it has "begun"; test -e /go || sleep 60'])
    const terminal = await t.coopTerminal(['build'])
    await terminal.waitFor(/^it has begun$/m)
    await terminal.keys('C-c')
    expect(await terminal.exited()).toBe(130)
    const screen = await terminal.screen()
    expect(screen).toMatch(/coop: the build was interrupted in step 2 \[E_INTERRUPTED\]$/m)
    expect(screen).toMatch(
      /^hint: continue with step 2: coop build; the image and the steps before are kept$/m,
    )
    configure(t, ['echo one >/one', 'echo two >/two'])
    expect(await build(t)).toMatchObject({ steps: 2, cached: 1 })
  })

  test.skipIf(skip)(`a step with more output than is read waits for its reader${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    configure(t, [
      'echo started; i=0; while [ $i -lt 60000 ]; do echo "line $i of very many"; i=$((i+1)); done',
    ])
    const build = t.startCoop(['build'])
    await waitUntil(() => /^started$/m.test(build.stderr), 'the step to start')
    build.kill('SIGSTOP')
    const layers = join(t.dataDir, 'images/layers')
    const logs = [...new Bun.Glob('*/*/build.log').scanSync({ cwd: layers, dot: true })]
    const said = () => logs.reduce((sum, name) => sum + statSync(join(layers, name)).size, 0)
    expect(logs).toHaveLength(1)
    let before = -1
    const heldUp = (): boolean => {
      const last = before
      before = said()
      return before === last
    }
    await waitUntil(heldUp, 'the step to be held up') // nothing more comes, and nothing was lost
    build.kill('SIGCONT')
    const { code, stderr } = await build.finished()
    expect({ code, whole: stderr.includes('line 59999 of very many') }).toEqual({ code: 0, whole: true })
  })

  test.skipIf(skip || !hasCommand('tmux'))(`coop offers to build a missing image${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    configure(t, ['echo built >/built'])
    const no = await t.coopTerminal(['--agent', 'sh -c "cat /built; exec cat"'])
    await no.waitFor(ASKED)
    await no.line('no')
    expect(await no.exited()).toBe(5)
    const yes = await t.coopTerminal(['--agent', 'sh -c "cat /built; exec cat"'])
    await yes.waitFor(ASKED)
    await yes.line('y')
    await yes.waitFor(/^built$/m)
  })

  test.skipIf(skip || !hasCommand('tmux'))(`clean asks before it removes what was built${said}`, async () => {
    await using t = await scratch(invoker, { git: false })
    configure(t, ['head -c 3000000 /dev/urandom >/more'])
    await build(t)
    const images = async () => JSON.parse(output(await t.coop(['image', 'ls', '--json']))) as unknown[]
    expectRefusal(await t.coop(['system', 'clean']), {
      code: 2,
      sentence: /refusing to remove anything without confirmation/,
      hint: /--force/,
    })
    const asked = /Remove 1 image built with setup steps, which no box uses\? \[y\/N\]/
    const no = await t.coopTerminal(['system', 'clean'])
    await no.waitFor(asked)
    await no.line('')
    expect(await no.exited()).toBe(1)
    expect(await no.screen()).toMatch(/nothing was removed/)
    expect(await images()).toHaveLength(2)
    const yes = await t.coopTerminal(['system', 'clean'])
    await yes.waitFor(asked)
    await yes.line('y')
    expect(await yes.exited()).toBe(0)
    expect(await yes.screen()).toMatch(/^removed 2 images, 2 layers; freed \d[\d.]*M$/m)
    expect(await images()).toEqual([])
    expect(output(await t.coop(['system', 'clean']))).toBe('removed 0 images, 0 layers; freed 0B\n')
  })

  test.skipIf(skip || debianNeeds.missing || !invoker.hasRange)(
    `apt-get installs git and curl as a step${said}${debianNeeds.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const base = `oci:${layout(folder, [debian()])}`
      run(['chmod', '-R', 'a+rX', folder])
      configure(t, ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends git curl'], base)
      expect(await build(t)).toMatchObject({ steps: 2, cached: 0 })
      expect(
        output(await t.coop(['run', '--', 'sh', '-c', 'git --version; curl --version | head -1'])),
      ).toMatch(/^git version .*\ncurl /)
    },
    INSTALL_MS,
  )
})
