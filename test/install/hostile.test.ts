/** What somebody else on the machine, or a server, does to an installation. */
import { expect, test } from 'bun:test'
import { chmodSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { needs, needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { output } from '../integration/support.ts'
import { installer, littleCoop, makeRelease, ReleaseServer } from './releases.ts'
import { coopIn, expectRefused, install, installedText } from './support.ts'

const RELEASE = makeRelease({ version: '0.2.0', binary: littleCoop('0.2.0') })
const can = needs('curl', 'wget')
const asRoot = needsAll({ root: process.getuid?.() === 0, curl: !can.missing })

test.skipIf(asRoot.missing)(
  `a coop of somebody else in a shared folder is not started${asRoot.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    const shared = t.folder('shared')
    chmodSync(shared, 0o1777)
    const proof = join(shared, 'proof')
    // Made by this test, which is root: first root's own, which may start, then that of a third user.
    t.write(join(shared, 'coop'), `#!/bin/sh\necho >${proof}\n`, 0o755)
    Bun.spawnSync(['chown', '4242:4242', join(shared, 'coop')])
    const env = { COOP_BIN_DIR: shared }
    for (const args of [[], ['--uninstall']])
      expectRefused(
        await install(t, server, { env, args }),
        /shared\/coop belongs to another user/,
        /of your own/,
      )
    expect(existsSync(proof)).toBe(false)
    expect(server.requests).toEqual([])
  },
)

test.skipIf(can.missing)(
  `others cannot write in the folders that it makes, whatever the umask${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    output(await install(t, server, { shell: ['sh', '-c', 'umask 000; exec sh "$@"', 'sh'] }))
    for (const folder of ['.local', '.local/bin', '.local/share/man/man1'])
      expect(statSync(join(t.home, folder)).mode & 0o022).toBe(0)
    expect(statSync(coopIn(t)).mode & 0o777).toBe(0o755)
    expect(installedText(t)).toBe(littleCoop('0.2.0').toString())
  },
)

test.skipIf(can.missing)(
  `a server that sends a byte now and then does not hold it for hours${can.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    server.put('latest/download/manifest.txt', () => {
      let timer: Timer | undefined
      const drips = new ReadableStream({
        start: (controller) => {
          timer = setInterval(() => controller.enqueue(Buffer.from('x')), 50)
        },
        cancel: () => clearInterval(timer),
      })
      return new Response(drips)
    })
    const script = installer({ releases: server.base })
    const impatient = script.replace(/^ {2}small_seconds=120$/m, '  small_seconds=1')
    expect(impatient).not.toBe(script)
    for (const tool of ['curl', 'wget']) {
      const other = tool === 'curl' ? 'wget' : 'curl'
      const hidden = impatient.replace(/^ {2}has\(\) \{ /m, (start) => `${start}[ "$1" != ${other} ] && `)
      expect(hidden).not.toBe(impatient)
      const result = await t.run(['sh', '-s'], { stdin: hidden, timeoutMs: 20_000 })
      expectRefused(
        result,
        /the download of \S+manifest\.txt was cut off|could not be downloaded/,
        /try again|connection/,
      )
    }
  },
)
