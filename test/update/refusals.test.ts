/** What `coop update` refuses: the old coop stays, and the message says why. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { MemoryDisk } from '../images/memory-disk.ts'
import {
  current,
  foreign,
  littleCoop,
  makeRelease,
  next,
  type Release,
  ReleaseServer,
  TARGET,
} from '../install/releases.ts'
import { expectRefusal, needed, output } from '../integration/support.ts'
import { build, Installed, little } from './support.ts'

const can = needed(ordinary)
const root = needsAll({ root: process.getuid?.() === 0 })
const ARCHIVE = `coop-2.0.0-${TARGET}.zst`
const AT = `download/v2.0.0/${ARCHIVE}`

let folder: string
let program: string
beforeAll(async () => {
  folder = mkdtempSync('/var/tmp/coop-refusals-')
  chmodSync(folder, 0o755)
  program = join(folder, 'coop')
  await build('1.0.0', program)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Stage extends AsyncDisposable {
  readonly t: Scratch
  readonly server: ReleaseServer
  readonly it: Installed
}

async function stage(...releases: readonly Release[]): Promise<Stage> {
  const t = await scratch(ordinary, { git: false })
  const server = new ReleaseServer(...releases)
  const it = new Installed(t, program, server)
  return {
    t,
    server,
    it,
    async [Symbol.asyncDispose]() {
      server[Symbol.dispose]()
      await t[Symbol.asyncDispose]()
    },
  }
}

/** Runs `coop update` and expects its refusal; the installed coop is the one that it was, and nothing lies beside it. */
async function refused(
  it: Installed,
  sentence: RegExp,
  hint: RegExp,
  ...args: readonly string[]
): Promise<void> {
  const { inode } = it
  const result = await it.update(...args)
  const stderr = result.stderr.replace(/^coop 2\.0\.0: .*\n/gm, '') // the progress before
  expectRefusal({ ...result, stderr }, { code: 1, sentence, hint })
  expect(it.inode).toBe(inode)
  expect(await it.version()).toBe('1.0.0')
  expect(it.leftovers).toEqual([])
  expect(it.record).toBeUndefined()
}

/** The file with one bit changed. */
function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = 1 ^ (copy[at] ?? 0)
  return copy
}

const file = (release: Release, name: string): Uint8Array => release.get(name) ?? new Uint8Array()

describe('a release is refused', () => {
  const good = little('2.0.0')

  test('whose manifest was changed, at any place', async () => {
    await using s = await stage(good)
    const manifest = file(good, 'manifest.txt')
    const text = Buffer.from(manifest).toString()
    const changed = [
      flipped(manifest, 3),
      flipped(manifest, manifest.length - 3),
      Buffer.from(text.replace('version 2.0.0', 'version 3.0.0')),
      Buffer.from(text.replace(/^time .*/m, 'time 2099-01-01T00:00:00Z')),
      Buffer.from(`${text}note more\n`),
      manifest.subarray(0, -1),
    ]
    for (const bytes of changed) {
      s.server.put('latest/download/manifest.txt', bytes)
      await refused(s.it, /signature of manifest\.txt is wrong/, /changed on its way/)
    }
  })

  test('whose signature is another, none, or by a key that this coop does not know', async () => {
    await using s = await stage(good)
    const signature = (bytes: Uint8Array) => s.server.put('latest/download/manifest.txt.sig', bytes)
    signature(flipped(file(good, 'manifest.txt.sig'), 20))
    await refused(s.it, /signature of manifest\.txt is wrong|has no signature/, /try again|do not install/)
    signature(file(little('2.0.0', { time: '2026-11-21T12:00:00Z' }), 'manifest.txt.sig'))
    await refused(s.it, /signature of manifest\.txt is wrong/, /changed on its way/)
    signature(new Uint8Array())
    await refused(s.it, /manifest\.txt\.sig of the release is empty/, /do not install/)
    s.server.put('latest/download/manifest.txt.sig', () => new Response('', { status: 404 }))
    await refused(s.it, /is not signed/, /do not install/)
    s.server.publish(little('2.0.0', { keys: [foreign] }))
    await refused(s.it, new RegExp(`key ${foreign.id}, which this coop does not know`), /this coop knows/)
  })

  test('whose signature names a known key but is by another', async () => {
    await using s = await stage()
    const stolen = { ...foreign, id: current.id }
    s.server.publish(little('2.0.0', { keys: [stolen] }))
    await refused(s.it, /signature of manifest\.txt is wrong/, /changed on its way/)
  })

  test('that is not the one that was asked for', async () => {
    await using s = await stage()
    s.server.publish(little('2.0.0'), { as: '3.0.0' })
    await refused(s.it, /offers coop 2\.0\.0 as coop 3\.0\.0/, /broken or hostile/, '3.0.0')
  })

  test('that has nothing for this machine', async () => {
    await using s = await stage(little('2.0.0', { target: 'linux-riscv64' }))
    await refused(s.it, /coop 2\.0\.0 has no executable for linux-\w+/, /linux-riscv64/)
  })

  test('of another machine under this one’s name', async () => {
    // Signed by mistake: the bytes are those that the manifest says, but they do not run here.
    const binary = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), Buffer.alloc(4000)])
    await using s = await stage(makeRelease({ version: '2.0.0', binary, packings: ['zstd'] }))
    await refused(s.it, /coop 2\.0\.0 does not start on this machine \(ENOEXEC\)/, /nothing was changed/)
  })

  test('that is not the version that it says', async () => {
    await using s = await stage(little('2.0.0', { binary: littleCoop('1.9.0') }))
    await refused(s.it, /does not start on this machine \(it says "coop 1\.9\.0/, /nothing was changed/)
  })

  test('that needs a newer kernel', async () => {
    await using s = await stage(little('2.0.0', { kernel: '99.1' }))
    await refused(s.it, /needs Linux 99\.1, and this is /, /stay with coop 1\.0\.0/)
  })

  test('that revokes its own key, or is signed by one that an earlier release has revoked', async () => {
    await using s = await stage(little('2.0.0', { revoked: [current.id] }))
    await refused(s.it, /revokes the key that signed it/, /do not install/)
    // The next key revokes the first one. That is remembered, also by a coop that does not install that release.
    s.server.publish(little('2.0.0', { keys: [next], revoked: [current.id] }))
    output(await s.it.update('--check'))
    s.server.publish(little('2.0.0', { time: '2026-11-25T12:00:00Z' }))
    await refused(s.it, new RegExp(`signed with key ${current.id}, which was revoked`), /do not install/)
  })

  test('whose archive was changed, cut off, is longer, or is another file', async () => {
    await using s = await stage(good)
    const archive = file(good, ARCHIVE)
    s.server.put(AT, flipped(archive, archive.length - 5))
    await refused(s.it, /is not what was signed: its digest is wrong/, /nothing was changed/)
    s.server.put(AT, archive.subarray(0, -7))
    await refused(s.it, /broke off after \d+ of \d+ bytes/, /nothing was changed/)
    s.server.put(AT, Buffer.concat([archive, archive]))
    await refused(s.it, /sends more of coop-2\.0\.0\S* than its \d+ bytes/, /broken or hostile/)
    s.server.put(AT, () => new Response('', { status: 404 }))
    await refused(s.it, /is not there \(404\)/, /check the address/)
  })

  test('whose archive unpacks to more than was signed, or to something else', async () => {
    for (const [binary, sentence] of [
      [littleCoop('2.0.0', 5000), /archive of the release is larger than its \d+ bytes/],
      [
        Buffer.from(littleCoop('2.0.0').toString().replace('0123456789ab', 'ba9876543210')),
        /holds another program/,
      ],
    ] as const) {
      const [honest, other] = [little('2.0.0'), little('2.0.0', { binary })]
      const facts = (release: Release) =>
        /^archive .*$/m.exec(Buffer.from(file(release, 'manifest.txt')).toString())?.[0] ?? ''
      const edit = (manifest: string) => manifest.replace(/^archive .*$/m, facts(other))
      const lie = little('2.0.0', { edit })
      lie.set(ARCHIVE, file(other, ARCHIVE))
      expect(honest.get(ARCHIVE)).not.toEqual(other.get(ARCHIVE))
      await using s = await stage(lie)
      await refused(s.it, sentence, /nothing was changed/)
    }
  })

  test('that is older, unless it is named', async () => {
    await using s = await stage(little('0.9.0'))
    await refused(s.it, /the newest release is coop 0\.9\.0, and this is 1\.0\.0/, /coop update 0\.9\.0/)
    expect(output(await s.it.update('--check'))).toBe(
      'coop 1.0.0 is installed; the newest release is 0.9.0, which is older\n',
    )
    expect(output(await s.it.update('0.9.0'))).toMatch(/^to undo this: coop update --rollback$/m)
    expect(await s.it.version()).toBe('0.9.0')
  })

  test('of an old list that is offered again', async () => {
    await using s = await stage(little('1.1.0', { time: '2026-11-10T12:00:00Z' }))
    s.server.publish(little('1.2.0', { time: '2026-11-20T12:00:00Z' }))
    expect(output(await s.it.update('--check'))).toMatch(
      /^coop 1\.2\.0 is the newest release; this is 1\.0\.0$/m,
    )
    s.server.publish(little('1.1.0', { time: '2026-11-10T12:00:00Z' }))
    await refused(s.it, /old list of releases: coop 1\.1\.0 of 2026-11-10, after coop 1\.2\.0/, /mirror/)
    output(await s.it.update('1.1.0')) // whoever names it gets it
    expect(await s.it.version()).toBe('1.1.0')
  })
})

describe('nothing is changed', () => {
  test('without an address, without keys, without a network, with a wrong version', async () => {
    await using s = await stage(little('2.0.0'))
    const { it } = s
    it.base = ''
    await refused(it, /does not know where releases are: it was built without an address/, /COOP_BASE_URL/)
    it.base = 'http://releases.example.com'
    await refused(it, /only https is used/, /COOP_BASE_URL/)
    it.base = 'http://127.0.0.1:1'
    await refused(it, /127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/, /check the network/)
    it.base = s.server.base
    await refused(it, /there is no coop 7\.0\.0 at /, /--check/, '7.0.0')
    expectRefusal(await it.update('newest'), { code: 2, sentence: /is no version of coop/, hint: /0\.2\.0/ })
    expectRefusal(await it.update('--check', '2.0.0'), {
      code: 2,
      sentence: /takes no version/,
      hint: /update VERSION/,
    })
    await refused(it, /no earlier coop is kept here/, /coop update VERSION/, '--rollback')
    it.put(coopPath())
    // With an address or without one: whoever sets one would only meet this next.
    for (it.base of [s.server.base, '']) {
      expectRefusal(await it.update(), {
        code: 1,
        sentence: /knows no key that releases are signed with/,
        hint: /package\.json.*install\.sh/,
      })
    }
  })

  test('when the server redirects to a place without encryption', async () => {
    await using s = await stage()
    s.server.put('latest/download/manifest.txt', () =>
      Response.redirect('http://releases.invalid/manifest.txt', 302),
    )
    await refused(s.it, /redirects to http:\/\/releases\.invalid, which is not encrypted/, /do not use/)
  })

  test('in a folder that is not writable, or for a file of somebody else', async () => {
    await using s = await stage(little('2.0.0'))
    chmodSync(s.it.folder, 0o555)
    await refused(
      s.it,
      /you may not write in .*\/home\/bin/,
      new RegExp(`sudo COOP_BASE_URL=\\S+ ${s.it.path} update`),
    )
    chmodSync(s.it.folder, 0o755)
    if (root.missing) return
    chownSync(s.it.path, 0, 0)
    await refused(s.it, /it belongs to another user/, /^hint: sudo .* update 2\.0\.0$/m, '2.0.0')
    expect(s.server.requests).toEqual([])
  })

  test.skipIf(can.missing)(`where boxes write${can.note}`, async () => {
    await using s = await stage(little('2.0.0'))
    await s.t.coop(['system', 'status']) // makes the scratch end the box
    const { it } = s
    output(await it.coop(['-d', '-n', 'box', '-w', it.folder, '--agent', 'sleep 1000']))
    await refused(it, /home\/bin\/coop lies in a folder that boxes can write/, /~\/\.local\/bin/)
    await refused(it, /no earlier coop is kept here/, /coop update VERSION/, '--rollback')
    output(await it.coop(['kill', 'box']))
    await refused(it, /lies in a folder that boxes can write/, /~\/\.local\/bin/) // what it has made there stays
    expect(s.server.requests).toEqual([])
  })

  test('for the program of a package manager', async () => {
    await using s = await stage(little('2.0.0'))
    const place = s.t.folder('home/lib/node_modules/@them/coop/bin')
    output(await s.t.run(['cp', s.it.path, join(place, 'coop')]))
    symlinkSync(join(place, 'coop'), join(s.t.home, 'coop-link'))
    const result = await s.t.run([join(s.t.home, 'coop-link'), 'update'], { env: s.it.env() })
    expectRefusal(result, {
      code: 1,
      sentence: /npm has installed .*node_modules/,
      hint: /npm install -g @them\/coop@latest/,
    })
    expect(s.server.requests).toEqual([])
  })

  test.skipIf(root.missing)(`on a full disk${root.note}`, async () => {
    await using s = await stage(little('2.0.0', { binary: littleCoop('2.0.0', 8 << 20) }))
    const path = s.t.folder('full')
    using disk = new MemoryDisk(path, ordinary, '116m')
    const it = new Installed(s.t, program, s.server)
    output(await s.t.run(['cp', it.path, join(path, 'coop')]))
    const used = disk.used
    const result = await s.t.run([join(path, 'coop'), 'update'], { env: it.env(), timeoutMs: 60_000 })
    expect(result).toMatchObject({ code: 1 })
    expect(result.stderr).toMatch(/^coop: no space is left for the new coop in .* \[E_DISK_FULL\]$/m)
    expect(disk.used).toBe(used)
    expect((await s.t.run([join(path, 'coop'), '--version'])).stdout).toStartWith('coop 1.0.0 ')
    // The folder of the kept program may be full, too: then nothing is replaced.
    disk.resize('400m')
    using data = new MemoryDisk(join(s.t.dataDir), ordinary, '16m')
    const again = await s.t.run([join(path, 'coop'), 'update'], { env: it.env(), timeoutMs: 60_000 })
    expect(again.stderr).toMatch(/no space is left for the program that is replaced/)
    expect(disk.used).toBe(used)
    data.resize('300m')
    output(await s.t.run([join(path, 'coop'), 'update'], { env: it.env(), timeoutMs: 60_000 }))
    expect((await s.t.run([join(path, 'coop'), '--version'])).stdout).toStartWith('coop 2.0.0 ')
    expect(readFileSync(join(s.t.dataDir, 'releases/previous/record.json'), 'utf8')).toContain(
      '"kept":"1.0.0"',
    )
  })

  test('by a second update at the same time', async () => {
    const release = little('2.0.0')
    await using s = await stage(release)
    const asked = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    s.server.put(AT, async () => {
      asked.resolve()
      await goOn.promise
      return new Response(new Uint8Array(file(release, ARCHIVE)))
    })
    const first = s.t.start([s.it.path, 'update'], { env: s.it.env() })
    await asked.promise
    await refused(s.it, /another coop update runs at this moment/, /wait until it is done/)
    await refused(s.it, /another coop update runs at this moment/, /wait until it is done/, '--rollback')
    goOn.resolve()
    output(await first.finished())
    expect(await s.it.version()).toBe('2.0.0')
  })
})
