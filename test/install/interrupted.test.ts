/** Whatever ends install.sh early, the coop that was there works, and the next run leaves nothing behind. */
import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs, needsAll } from '../harness/facts.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers, ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { output } from '../integration/support.ts'
import { installer, littleCoop, makeRelease, ReleaseServer, TARGET } from './releases.ts'
import {
  BASIC,
  coopIn,
  expectRefused,
  install,
  installedText,
  onlyPrograms,
  temporaryFiles,
} from './support.ts'

const can = needs('curl', 'openssl', 'zstd')
const root = needsAll({ root: process.getuid?.() === 0 })
const TOOLS = ['curl', 'openssl', 'zstd', 'sha256sum']
const ARCHIVE = `download/v0.3.0/coop-0.3.0-${TARGET}.zst`
const OLD = littleCoop('0.2.0')
const NEW = littleCoop('0.3.0', 300_000)
const RELEASE = makeRelease({ version: '0.3.0', binary: NEW })
const POINTS = 20
const NEVER = 1_000_000

/**
 * Programs for the PATH that write their names into a list. From the number in `kill-at` on they end the process group, which
 * is the shell with everything that it has started. (Both ends of a pipe may start at the same time and count the same.)
 */
function deadlyPrograms(t: Scratch): {
  path: string
  started: () => string[]
  killAt: (number: number) => void
} {
  const real = onlyPrograms(t, ...TOOLS)
  const path = t.folder('deadly')
  const list = join(t.root, 'started')
  const at = join(t.root, 'kill-at')
  for (const name of [...BASIC, ...TOOLS]) {
    // Built-in commands alone: a hundred programs with two more for each would take most of the test's time.
    const script = `#!/bin/sh
echo ${name} >>${list}
read -r at <${at}; n=0; while read -r _; do n=$((n + 1)); done <${list}
[ $n -lt $at ] || kill -KILL 0
exec ${real}/${name} "$@"
`
    t.write(join(path, name), script, 0o755)
  }
  return {
    path,
    started: () => readFileSync(list, 'utf8').trim().split('\n'),
    killAt: (number) => {
      t.write(list, '')
      t.write(at, `${number}\n`)
    },
  }
}

test.skipIf(can.missing)(`SIGKILL at ${POINTS} points leaves a coop that works${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(RELEASE)
  const programs = deadlyPrograms(t)
  const run = () =>
    install(t, server, { shell: ['setsid', '/bin/sh'], env: { PATH: `${programs.path}:/usr/bin:/bin` } })
  programs.killAt(NEVER)
  t.write(coopIn(t), OLD, 0o755)
  output(await run())
  const all = programs.started()
  // The rename and its neighbours, and points all over the time.
  const rename = all.indexOf('mv') + 1
  expect(rename).toBeGreaterThan(0)
  const points = new Set([rename - 1, rename, rename + 1])
  for (let i = 0; points.size < POINTS; i++) points.add(1 + Math.floor((i * all.length) / (POINTS - 2)))
  const after = new Map<string, number>()
  for (const point of [...points].toSorted((a, b) => a - b)) {
    t.write(coopIn(t), OLD, 0o755)
    programs.killAt(point)
    expect((await run()).signal).toBe('SIGKILL')
    const version = output(await t.run([coopIn(t), '--version'])).split(' ')[1] ?? ''
    expect(installedText(t)).toBe((version === '0.2.0' ? OLD : NEW).toString())
    after.set(version, (after.get(version) ?? 0) + 1)
  }
  expect([...after.keys()].toSorted()).toEqual(['0.2.0', '0.3.0']) // both sides of the rename were hit
  programs.killAt(NEVER)
  output(await run())
  expect(installedText(t)).toBe(NEW.toString())
  expect(temporaryFiles(t)).toEqual([])
})

test.each(['SIGKILL', 'SIGTERM'] as const)(
  `%s in the middle of a download does no harm${can.note}`,
  async (signal) => {
    if (can.missing) return
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    const half = (RELEASE.get(ARCHIVE.split('/').at(-1) ?? '') ?? Buffer.alloc(0)).subarray(0, 100)
    let arrived = false
    server.put(ARCHIVE, () => {
      const stream = new ReadableStream({
        start: (controller) => {
          controller.enqueue(half)
          arrived = true
        },
      })
      return new Response(stream)
    })
    t.write(coopIn(t), OLD, 0o755)
    // A session of its own, so that the signal reaches curl, too, as Ctrl+C does.
    const started = t.start(['setsid', '/bin/sh'])
    started.write(installer({ releases: server.base }))
    started.closeStdin()
    await waitUntil(() => arrived && temporaryFiles(t).length > 1, 'the beginning of the download')
    process.kill(-(await started.pid()), signal)
    const { code, signal: ended } = await started.finished()
    expect(ended ?? code).toBe(signal === 'SIGKILL' ? 'SIGKILL' : 143)
    expect(output(await t.run([coopIn(t), '--version']))).toStartWith('coop 0.2.0 ')
    expect(temporaryFiles(t).length === 0).toBe(signal === 'SIGTERM')
    server.publish(RELEASE)
    output(await install(t, server))
    expect(installedText(t)).toBe(NEW.toString())
    expect(temporaryFiles(t)).toEqual([])
  },
)

test.skipIf(can.missing)(`two at once end well${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  using server = new ReleaseServer(RELEASE)
  const both = Promise.withResolvers<void>()
  let asked = 0
  server.put(ARCHIVE, async () => {
    if (++asked === 2) both.resolve()
    await both.promise
    return new Response(new Uint8Array(RELEASE.get(ARCHIVE.split('/').at(-1) ?? '') ?? Buffer.alloc(0)))
  })
  t.write(coopIn(t), OLD, 0o755)
  for (const result of await Promise.all([install(t, server), install(t, server)])) output(result)
  expect(installedText(t)).toBe(NEW.toString())
  expect(temporaryFiles(t)).toEqual([])
})

for (const { name, bytes, room } of [
  {
    name: 'the archive does not fit',
    bytes: Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))),
    room: 40,
  },
  { name: 'the executable does not fit', bytes: Buffer.alloc(900_000, 35), room: 400 },
  { name: 'nothing fits', bytes: Buffer.alloc(0), room: 8 },
]) {
  const skip = can.missing || root.missing
  test.skipIf(skip)(`on a full disk (${name}) the old coop stays${can.note}${root.note}`, async () => {
    await using t = await scratch(ordinary, { git: false })
    const binary = Buffer.concat([littleCoop('0.3.0'), bytes])
    using server = new ReleaseServer(makeRelease({ version: '0.3.0', binary }))
    const old = t.write(join(t.root, 'old'), OLD, 0o755)
    const script = t.write(join(t.root, 'script'), installer({ releases: server.base }))
    const bin = t.folder('home/.local/bin')
    // A file system of its own, in a mount namespace of its own.
    const mounted = `mount -t tmpfs -o size=${room}k,uid=${ordinary.uid},mode=755 none ${bin} && cp -p ${old} ${bin}/coop && `
    const inside = asInvoker(ordinary, [
      'sh',
      '-c',
      `sh <${script}; echo code $?; ${bin}/coop --version; ls -A ${bin}`,
    ])
    const quoted = inside.map((word) => `'${word}'`).join(' ')
    const started = Bun.spawn(['unshare', '--mount', 'sh', '-c', mounted + quoted], {
      env: { ...t.env },
      cwd: '/',
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [stdout, stderr] = await Promise.all([started.stdout.text(), started.stderr.text()])
    expect(stderr).toBe(
      `coop: the disk is full at ${bin}; coop 0.2.0 stays as it is\nhint: free about 200 MB there, or set COOP_BIN_DIR to a folder on another disk\n`,
    )
    expect(stdout).toMatch(/code 1\ncoop 0\.2\.0 \(.*\)\ncoop\n$/)
  })
}

test.skipIf(can.missing)(
  `a folder without permission to write is named before anything is downloaded`,
  async () => {
    await using t = await scratch(ordinary, { git: false })
    using server = new ReleaseServer(RELEASE)
    const closed = t.folder('home/closed', 0o555)
    t.write(join(t.home, 'file'), '')
    for (const folder of [
      closed,
      join(closed, 'bin'),
      join(t.home, 'file'),
      join(t.home, 'file/bin'),
      '/proc/self',
    ])
      expectRefused(
        await install(t, server, { env: { COOP_BIN_DIR: folder } }),
        /cannot be written/,
        /COOP_BIN_DIR/,
      )
    expect(server.requests).toEqual([])
  },
)

test.skipIf(root.missing || can.missing)(`root installs like everybody${root.note}${can.note}`, async () => {
  const rootUser = invokers.find(({ uid }) => uid === 0) ?? ordinary
  await using t = await scratch(rootUser, { git: false })
  using server = new ReleaseServer(RELEASE)
  const folder = join(t.root, 'usr/local/bin')
  // Others run it, too, however careful root's umask is.
  const result = await install(t, server, {
    shell: ['sh', '-c', 'umask 077; exec sh'],
    env: { COOP_BIN_DIR: folder },
  })
  output(result)
  expect(Bun.spawnSync(['stat', '-c', '%a %u', join(folder, 'coop')]).stdout.toString()).toBe('755 0\n')
})
