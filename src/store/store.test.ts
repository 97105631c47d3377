/** Every kind of state file: its chain of migrations, and files of released coops, read through it. */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VERSION } from '../core/version.ts'
import { testPaths } from '../disk/testing.ts'
import { folder } from '../image/unpack/testing.ts'
import { Ring } from '../terminal/ring.ts'
import { FILE_SIZE } from '../terminal/ring-file.ts'
import { boxManifest } from './box-manifest.ts'
import { envelopeOf } from './envelope.ts'
import { asInitRecord, type InitRecord, parseInitRecord, printInitRecord } from './init-record.ts'
import { isFields, type Kind, readStored, stamp } from './kind.ts'
import { lastOutputRecord, printLastOutput, readBareOutput } from './last-output.ts'
import { NewerRing, type RingImage, refuseNewerRing, ring, upgradeRing } from './ring.ts'
import { RING_HEADER, ringRelease } from './ring-header.ts'

const FIXTURES = join(import.meta.dir, '../../test/fixtures/state')

function isKind(value: unknown): value is Kind<unknown> {
  return isFields(value) && typeof value.parse === 'function' && isFields(value.migrations)
}

/** Rooms with state files of their own. */
const ROOMS = [import.meta.dir, join(import.meta.dir, '../update'), join(import.meta.dir, '../serve')]

/** All kinds of these rooms: a kind added without a fixture fails here. */
async function allKinds(): Promise<Kind<unknown>[]> {
  const files = ROOMS.flatMap((room) => readdirSync(room).map((name) => join(room, name)))
  const sources = files.filter((path) => /\/[\w-]+\.ts$/.test(path))
  const modules = await Promise.all(sources.map((path) => import(path)))
  return modules.flatMap((all: object) => Object.values(all).filter(isKind))
}

const kinds = await allKinds()
const releases = readdirSync(FIXTURES).filter((name) => name !== 'README.md')

function fixtures(release: string, kind: string): { readonly file: string; readonly bytes: Buffer }[] {
  const place = join(FIXTURES, release, kind)
  return readdirSync(place).map((file) => ({ file, bytes: readFileSync(join(place, file)) }))
}

/** Kinds that did not exist yet in a release. */
const WITHOUT: Readonly<Record<string, ReadonlySet<string>>> = {
  hints: new Set(['0.1.0']),
  'previous-release': new Set(['0.1.0']),
  'release-seen': new Set(['0.1.0']),
  restoring: new Set(['0.1.0']),
  serving: new Set(['0.1.0']),
  'snapshot-workspace': new Set(['0.1.0']),
  trust: new Set(['0.1.0']),
  written: new Set(['0.1.0']),
}

const fixture = (kind: string, file: string): Buffer => readFileSync(join(FIXTURES, '0.1.0', kind, file))

/** 0.1.0 had one file without any information about itself. */
const read = (release: string, kind: Kind<unknown>, bytes: Buffer) =>
  release === '0.1.0' && kind === lastOutputRecord ? readBareOutput(bytes) : readStored(kind, bytes)

test('there are as many kinds as there are files with a version', () => {
  expect(kinds.map(({ name }) => name).toSorted()).toEqual([
    'box-manifest',
    'build-note',
    'hints',
    'image-record',
    'last-output',
    'layer-record',
    'previous-release',
    'release-seen',
    'restoring',
    'ring',
    'screen',
    'serving',
    'snapshot',
    'snapshot-workspace',
    'state-lock',
    'trust',
    'unsynced-mark',
    'volume-mark',
    'written',
  ])
})

describe.each(kinds)('$name', (kind) => {
  test('has a step for each version from the oldest to the one before today’s', () => {
    const steps = Object.keys(kind.migrations).map(Number)
    expect(steps).toEqual(steps.map((_, index) => kind.version - steps.length + index))
  })

  test.each(releases)('as coop %s left it is read', (release) => {
    if (WITHOUT[kind.name]?.has(release)) return
    const found = fixtures(release, kind.name)
    expect(found.length).toBeGreaterThan(0)
    for (const { file, bytes } of found)
      expect([file, read(release, kind, bytes).is]).toEqual([file, 'readable'])
  })

  test('of a newer coop is told from a damaged one', () => {
    if (kind === ring || kind === lastOutputRecord) return // tested below, because they are not JSON
    const newer = JSON.stringify({ version: kind.version + 1, release: '99.0.0' })
    expect(readStored(kind, newer)).toEqual({ is: 'newer', release: '99.0.0' })
    for (const damaged of ['{"version":', '[]', '{"version":"1"}', '{"version":0.5}', '{"version":-1}', '{}'])
      expect([damaged, readStored(kind, damaged)]).toEqual([damaged, { is: 'unreadable' }])
  })
})

describe('what 0.1.0 left', () => {
  test('a manifest has its workspace where every release finds it, and is written in today’s version', () => {
    const found = readStored(boxManifest, fixture('box-manifest', 'running.json'))
    if (found.is !== 'readable') throw new Error(found.is)
    expect(found.value).toMatchObject({
      name: 'project',
      workspace: '/home/user/project',
      state: 'running',
      init: { pid: 4321, startTime: '66236' },
      ptys: [{ id: 0, state: 'running', pid: 2 }],
    })
    const text = stamp(boxManifest, found.value)
    expect(JSON.parse(text)).toMatchObject({ version: boxManifest.version, release: VERSION })
    expect(readStored(boxManifest, text)).toEqual(found)
    expect(envelopeOf(text, 'project')).toEqual({
      release: VERSION,
      workspace: '/home/user/project',
      state: 'running',
      created: found.value.created,
      init: found.value.init,
    })
  })

  test('the rest means what it meant', () => {
    const meaning = Object.fromEntries(
      kinds
        .filter(({ name }) => !WITHOUT[name]?.has('0.1.0'))
        .flatMap((kind) =>
          fixtures('0.1.0', kind.name).map(({ file, bytes }) => {
            const found = read('0.1.0', kind, bytes)
            return [`${kind.name}/${file}`, found.is === 'readable' ? found.value : found.is]
          }),
        ),
    )
    expect(meaning).toMatchObject({
      'box-manifest/stopped.json': { state: 'stopped', ptys: [] },
      'image-record/pulled.json': { reference: 'oci:/home/user/image' },
      'image-record/built.json': { built: { workspaces: ['/home/user/project'] } },
      'image-record/published.json': { reference: 'localhost/mine:1', from: { box: 'project' } },
      'layer-record/pulled.json': { entries: 17, bytes: 2390445 },
      'build-note/note.json': { workspace: '/home/user/project', image: 'oci:/home/user/image' },
      'snapshot/snapshot.json': {
        name: 'one',
        note: 'before the change',
        below: { layers: [expect.any(String), expect.any(String)] },
      },
      'screen/pty-0.screen': { offset: 16, snapshot: { columns: 60, rows: 10, scrollback: 1000 } },
      'last-output/last-output': { bytes: Buffer.from('\x1b[1mhello\x1b[0m\r\r\n') },
      'unsynced-mark/unsynced': { boot: '0b5e1d6c-3f0a-4a51-9c5e-2f6d7a8b9c0d' },
      'volume-mark/volume': {},
      'state-lock/daemon.lock': { runtimeDir: '/run/user/1000/coop' },
    })
  })

  test('a ring is what its terminal showed', () => {
    using place = folder()
    const file = join(place.path, 'pty-0.ring')
    const bytes = fixture('ring', 'pty-0.ring') // without the trailing zeros
    writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(FILE_SIZE - bytes.length)]))
    expect(Ring.contents(file)?.toString()).toBe('\x1b[1mhello\x1b[0m\r\r\n')
  })
})

describe('a chain', () => {
  const kind: Kind<{ readonly words: readonly string[] }> = {
    name: 'words',
    version: 4,
    migrations: {
      2: ({ text }) => ({ words: String(text).split(' ') }),
      3: ({ words }) => ({ words: (words as string[]).map((word) => word.toLowerCase()) }),
    },
    parse: ({ words }) => (Array.isArray(words) ? { words } : undefined),
  }

  test('takes each step in its turn', () => {
    const value = { words: ['one', 'two'] }
    expect(readStored(kind, '{"version":2,"text":"One Two"}')).toEqual({ is: 'readable', value })
    expect(readStored(kind, '{"version":3,"words":["One","Two"]}')).toEqual({ is: 'readable', value })
    expect(readStored(kind, stamp(kind, value))).toEqual({ is: 'readable', value })
  })

  test('does not begin before its first version, and a step that throws makes nothing of it', () => {
    expect(readStored(kind, '{"version":1,"text":"One"}')).toEqual({ is: 'unreadable' })
    expect(readStored(kind, '{"version":3,"words":7}')).toEqual({ is: 'unreadable' })
  })

  test('prints no release that is none', () => {
    const newer = JSON.stringify({ version: 5, release: 'x\u001b[2Jy' })
    expect(readStored(kind, newer)).toEqual({ is: 'newer', release: undefined })
  })
})

describe('the last output', () => {
  test('is kept as it is, whatever it looks like', () => {
    for (const text of ['', 'plain', '\n\n', '{"version":9}\n', '\0\xff'])
      expect(readStored(lastOutputRecord, printLastOutput({ bytes: Buffer.from(text, 'latin1') }))).toEqual({
        is: 'readable',
        value: { bytes: Buffer.from(text, 'latin1') },
      })
  })

  test('of a newer coop is told from a damaged one', () => {
    const newer = Buffer.from('{"version":99,"release":"99.0.0"}\nx')
    expect(readStored(lastOutputRecord, newer)).toEqual({ is: 'newer', release: '99.0.0' })
    expect(readStored(lastOutputRecord, Buffer.from('no head'))).toEqual({ is: 'unreadable' })
  })
})

describe('a ring', () => {
  const older = (): Buffer => fixture('ring', 'pty-0.ring')
  const withVersion = (version: number): Buffer => {
    const bytes = older()
    bytes.writeUInt32LE(version, 4)
    return bytes
  }
  const header = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, RING_HEADER)

  test('of a newer coop is refused, and nothing of it changes', () => {
    using place = folder()
    const file = join(place.path, 'pty-0.ring')
    const newer = withVersion(ring.version + 1) as Buffer<ArrayBuffer>
    newer.write('99.0.0', 96)
    writeFileSync(file, newer)
    expect(() => refuseNewerRing(file)).toThrow(NewerRing)
    expect(() => Ring.open(file, -1)).toThrow(NewerRing)
    expect(upgradeRing(file)).toBe('newer')
    expect(readFileSync(file)).toEqual(newer)
    expect(readdirSync(place.path)).toEqual(['pty-0.ring'])
  })

  test('of an older one is replaced by what its chain makes of it', () => {
    using place = folder()
    const file = join(place.path, 'pty-0.ring')
    writeFileSync(file, older())
    const next: Kind<RingImage> = {
      ...ring,
      version: ring.version + 1,
      migrations: {
        [ring.version]: ({ bytes }) => {
          const now = Buffer.from(bytes as Buffer)
          now.writeUInt32LE(ring.version + 1, 4)
          return { bytes: Buffer.concat([now, Buffer.from('more')]) }
        },
      },
    }
    expect(upgradeRing(file, next)).toBe('readable')
    expect(readFileSync(file).subarray(RING_HEADER).toString()).toBe('\x1b[1mhello\x1b[0m\r\r\nmore')
    expect(readFileSync(file).readUInt32LE(4)).toBe(ring.version + 1)
    expect(upgradeRing(file, next)).toBe('readable') // and is left alone afterwards
    expect(readFileSync(file).subarray(RING_HEADER).toString()).toEndWith('more')
    expect(readdirSync(place.path)).toEqual(['pty-0.ring'])
  })

  test.each([
    ['is of a version that was in no release', 3],
    ['has another number', 0],
  ])('that %s is none', (_, version) => {
    using place = folder()
    const file = join(place.path, 'pty-0.ring')
    writeFileSync(file, withVersion(version))
    expect(upgradeRing(file)).toBe('unreadable')
    expect(upgradeRing(join(place.path, 'none'))).toBe('missing')
  })

  test('says which release made it', () => {
    using paths = testPaths()
    const file = join(paths.top, 'ring')
    Ring.create(file, -1)
    expect(ringRelease(header(readFileSync(file).subarray(0, RING_HEADER)))).toBe(VERSION)
    expect(ringRelease(header(older()))).toBe('')
  })
})

describe('the record of an init', () => {
  const init: InitRecord = { pid: 4321, startTime: '66236', boot: '0b5e1d6c-3f0a-4a51-9c5e-2f6d7a8b9c0d' }

  // This format may never change: the line is part of each release's promise to all later ones.
  const LINE = '4321 66236 0b5e1d6c-3f0a-4a51-9c5e-2f6d7a8b9c0d box\n'

  test('is one line for good', () => {
    expect(printInitRecord(init, 'box')).toBe(LINE)
    expect(parseInitRecord(LINE, 'box')).toEqual(init)
    expect(parseInitRecord(`${LINE}and what a later release adds\n`, 'box')).toEqual(init)
  })

  test.each([
    ['of another box', '4321 66236 0b5e1d6c-3f0a-4a51-9c5e-2f6d7a8b9c0d other\n'],
    ['that is empty', ''],
    ['that was cut off', '4321 66236 0b5e1d6c'],
    ['of the machine’s own init', '1 66236 0b5e1d6c-3f0a-4a51-9c5e-2f6d7a8b9c0d box\n'],
    ['of a group of processes', '-4321 66236 0b5e1d6c-3f0a-4a51-9c5e-2f6d7a8b9c0d box\n'],
    ['without a start', '4321 x 0b5e1d6c-3f0a-4a51-9c5e-2f6d7a8b9c0d box\n'],
  ])('is not taken from a line %s', (_, line) => {
    expect(parseInitRecord(line, 'box')).toBeUndefined()
  })

  test('is found in a manifest that is damaged, and not in what a box may have written there', () => {
    const whole = JSON.stringify({ version: 3, name: 'box', hidden: ['"init":{"pid":7'], init, ptys: [] })
    expect(envelopeOf(whole, 'box').init).toEqual(init)
    expect(envelopeOf(whole.slice(0, -5), 'box')).toMatchObject({ init, workspace: undefined })
    const other = { pid: 7, startTime: '7', boot: init.boot }
    const fake = JSON.stringify({ name: 'box', environment: { A: `"init":${JSON.stringify(other)}` }, init })
    expect(envelopeOf(fake.slice(0, -1), 'box').init).toEqual(init)
  })

  test('of another box’s manifest means nothing', () => {
    const copy = JSON.stringify({ version: 3, name: 'other', init, ptys: [] })
    expect(envelopeOf(copy, 'box').init).toBeUndefined()
    expect(envelopeOf(copy.slice(0, -5), 'box').init).toBeUndefined()
    expect(asInitRecord({ ...init, pid: 2 ** 31 })).toBeUndefined()
  })
})
