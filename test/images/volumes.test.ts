/** Volumes: a new one gets the image's files at its place, once. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, hasCommand, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { daemonPid, everyone, output } from '../integration/support.ts'
import { layout, run, tools } from './support.ts'

const can = needsAll({ busybox: hasCommand('busybox') })
const MANY = 1500

let folder: string
let image: string

beforeAll(() => {
  if (tools.missing || can.missing) return
  folder = mkdtempSync('/var/tmp/coop-volumes-')
  const programs = ['sh', 'cat', 'ls', 'stat', 'true'].map((name) => ({
    name: `bin/${name}`,
    type: '2',
    link: 'busybox',
  }))
  const files = [
    { name: 'bin/busybox', data: readFileSync('/bin/busybox'), mode: 0o755 },
    ...programs,
    { name: 'srv/data', type: '5', mode: 0o2751 },
    { name: 'srv/data/owned', data: 'mine', uid: 5, gid: 7, mode: 0o640 },
    { name: 'srv/data/link', type: '2', link: 'owned' },
    { name: 'home/coop/.tool/setting', data: 'of the image' },
    { name: 'srv/file', data: 'no folder' },
    { name: 'srv/init', type: '2', link: '/proc/self' },
    ...Array.from({ length: MANY }, (_, index) => ({ name: `srv/many/${index}`, data: 'x' })),
  ]
  image = `oci:${layout(folder, [files])}`
  run(['chmod', '-R', 'a+rX', folder])
})
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true })
})

const configure = (t: Scratch, mounts: readonly string[], more = ''): string =>
  t.settings(
    `[sandbox]\nimage = ${JSON.stringify(image)}\nshell = "sh"\nmounts = ${JSON.stringify(mounts)}\n${more}`,
  )

const inBox = async (t: Scratch, script: string): Promise<string> =>
  output(await t.coop(['run', '--', 'sh', '-c', script]))

const leftovers = (t: Scratch): string[] =>
  ['seeding', 'unseeded'].flatMap((name) => {
    const at = join(t.dataDir, name)
    return existsSync(at) ? readdirSync(at) : []
  })

describe.each(everyone)('as $name', (invoker) => {
  const possible = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const skip = tools.missing || can.missing || possible.missing
  const note = `${tools.note}${can.note}${possible.note}`

  test.skipIf(skip)(
    `a new volume has the image's files at its place, an old one keeps its own${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      configure(t, ['data:/srv/data', 'none:/nowhere'], '[session]\npersist = [".tool"]\n')
      output(await t.coop(['build', '-q']))
      const owner = invoker.hasRange ? '5:7' : '0:0'
      const look =
        'stat -c "%a %n" /srv/data; stat -c "%u:%g %a" /srv/data/owned; cat /srv/data/link; ls -A /nowhere'
      expect(await inBox(t, `${look}; cat ~/.tool/setting`)).toBe(
        `2751 /srv/data\n${owner} 640\nmineof the image`,
      )
      await inBox(
        t,
        '/bin/busybox rm /srv/data/owned; echo own >/srv/data/new; echo changed >~/.tool/setting',
      )
      expect(await inBox(t, 'ls /srv/data; cat ~/.tool/setting')).toBe('link\nnew\nchanged\n')
      output(await t.coop(['volume', 'rm', 'data']))
      expect(await inBox(t, 'ls /srv/data')).toBe('link\nowned\n')
      expect(leftovers(t)).toEqual([])
    },
  )

  test.skipIf(skip)(`a link of the image does not lead to files of init${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    configure(t, ['stolen:/srv/init/task', 'file:/srv/file/x'])
    output(await t.coop(['build', '-q']))
    await t.coop(['run', 'true']) // it may start or not
    const stolen = Bun.spawnSync(['find', join(t.dataDir, 'volumes/volume-stolen'), '-mindepth', '1'])
    expect({ code: stolen.exitCode, files: stolen.stdout.toString() }).toEqual({ code: 0, files: '' })
  })

  test.skipIf(skip)(`two boxes that start at once both get the whole volume${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    configure(t, ['many:/srv/many'])
    output(await t.coop(['build', '-q']))
    const count = 'set -- /srv/many/*; echo $#'
    const both = await Promise.all([1, 2, 3].map(() => inBox(t, count)))
    expect(both).toEqual(Array(3).fill(`${MANY}\n`))
  })

  test.skipIf(possible.missing)(
    `on the host image, files that the box may not read stay out${possible.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.settings('[sandbox]\nmounts = ["etc:/etc/ssl"]\n')
      const script =
        'ls -A /etc/ssl | wc -l; test -O /etc/ssl/openssl.cnf; echo $?; cat /etc/ssl/private/* 2>&1 | head -n 1'
      const [count, owned] = (await inBox(t, script)).split('\n')
      expect({ some: Number(count) > 0, owned }).toEqual({ some: true, owned: '0' })
    },
  )
})

const [ordinary] = everyone
if (!ordinary) throw new Error('nobody to be')
const possible = needsAll({ 'user namespaces': canMakeNamespaces(ordinary) })

test.skipIf(tools.missing || can.missing || possible.missing)(
  `a daemon that is killed in the middle: the next box gets the whole of it${tools.note}${can.note}${possible.note}`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    configure(t, ['many:/srv/many'])
    output(await t.coop(['build', '-q']))
    await t.coop(['ls'])
    const pid = await daemonPid(t)
    const client = t.startCoop(['run', '--', 'true'])
    await waitUntil(() => leftovers(t).length > 1, 'the copy')
    client.kill('SIGKILL')
    process.kill(pid ?? 0, 'SIGKILL')
    await client.process.exited
    expect(await inBox(t, 'set -- /srv/many/*; echo $#')).toBe(`${MANY}\n`)
    expect(leftovers(t)).toEqual([])
  },
)
