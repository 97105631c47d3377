import { expect, test } from 'bun:test'
import { CoopError } from '../core/errors.ts'
import { archiveName, type Manifest, parseManifest, printManifest } from './manifest.ts'

const digest = (digit: string) => digit.repeat(64)

const release: Manifest = {
  version: '0.2.0',
  commit: '0123456789abcdef0123456789abcdef01234567',
  time: '2026-11-28T12:00:00Z',
  kernel: '5.13',
  revoked: ['00112233445566ff'],
  binaries: new Map([
    ['linux-x64', { size: 110_000_000, sha256: digest('a') }],
    ['linux-arm64-musl', { size: 111_000_000, sha256: digest('b') }],
  ]),
  archives: [
    { target: 'linux-x64', packing: 'zstd', size: 42, sha256: digest('1'), name: 'coop-0.2.0-linux-x64.zst' },
    { target: 'linux-x64', packing: 'gzip', size: 52, sha256: digest('2'), name: 'coop-0.2.0-linux-x64.gz' },
    {
      target: 'linux-arm64-musl',
      packing: 'gzip',
      size: 51,
      sha256: digest('3'),
      name: 'coop-0.2.0-linux-arm64-musl.gz',
    },
  ],
  man: { size: 900, sha256: digest('c'), name: 'coop.1' },
  notes: ['Boxes start faster.', '  - é, 漢字'],
}

const text = new TextDecoder().decode(printManifest(release))
const parse = (changed: string) => parseManifest(new TextEncoder().encode(changed))

/** Returns the message of the refusal. */
function refusal(changed: string | Uint8Array): string {
  try {
    parseManifest(typeof changed === 'string' ? new TextEncoder().encode(changed) : changed)
  } catch (error) {
    if (error instanceof CoopError && error.code === 'E_RELEASE' && error.hint) return error.message
    throw error
  }
  return 'accepted'
}

test('what is printed is read again, the same', () => {
  expect(parseManifest(printManifest(release))).toEqual(release)
  expect(text.split('\n').slice(0, 7)).toEqual([
    'coop-release 1',
    'version 0.2.0',
    'commit 0123456789abcdef0123456789abcdef01234567',
    'time 2026-11-28T12:00:00Z',
    'kernel 5.13',
    'revoked 00112233445566ff',
    `binary linux-x64 110000000 ${digest('a')}`,
  ])
})

test('unknown facts are passed over, another format is not', () => {
  expect(parse(`${text}mirror https://example.org\nbinary2 x\n`)).toEqual(release)
  expect(refusal(text.replace('coop-release 1', 'coop-release 2'))).toContain('format 2, which this coop')
  for (const first of ['coop-release 01', 'coop-release', 'Coop-release 1', '\ufeffcoop-release 1', 'x'])
    expect(refusal(text.replace('coop-release 1', first))).toContain('does not begin with')
})

test('every cut is noticed', () => {
  const whole = new TextEncoder().encode(text)
  const accepted = Array.from(whole.keys()).filter((n) => refusal(whole.subarray(0, n)) === 'accepted')
  // Cut at the end of a line, it may be a shorter manifest: the signature covers the whole file.
  expect(accepted.every((n) => whole[n - 1] === 10 && n > text.indexOf('archive linux-arm64'))).toBeTrue()
})

test('each fact that is missing, comes twice or is odd is named', () => {
  const line = (start: string) => text.split('\n').find((found) => found.startsWith(start)) ?? ''
  const without = (start: string) => text.replace(`${line(start)}\n`, '')
  for (const fact of ['version', 'commit', 'time', 'kernel']) {
    expect(refusal(without(fact))).toContain(`does not say the ${fact}`)
    expect(refusal(`${text}${line(fact)}\n`)).toContain(`says ${fact} twice`)
  }
  expect(refusal(without('binary linux-x64'))).toContain('does not describe the executable in coop-0.2.0')
  expect(refusal(`${text}${line('binary')}\n`)).toContain('twice')
  expect(refusal(`${text}${line('archive')}\n`)).toContain('twice')
  expect(refusal(`${text}${line('man')}\n`)).toContain('twice')
  expect(refusal(`${text}coop-release 1\n`)).toContain('twice')
  expect(refusal(without('archive linux-arm64'))).toContain('names no archive for linux-arm64-musl')
  expect(refusal('coop-release 1\n')).toContain('does not say the version')
})

test('the archive of another version or target is not taken for this one', () => {
  expect(refusal(text.replaceAll('version 0.2.0', 'version 0.3.0'))).toContain(
    'gives the archive coop-0.2.0-linux-x64.zst out for coop-0.3.0-linux-x64.zst',
  )
  const other = text.replace('archive linux-x64 zstd', 'archive linux-arm64-musl zstd')
  expect(refusal(other)).toContain('out for coop-0.2.0-linux-arm64-musl.zst')
  expect(archiveName('1.0.0', 'linux-arm64', 'gzip')).toBe('coop-1.0.0-linux-arm64.gz')
})

test.each([
  ['0.2.0', '0.2'],
  ['version 0.2.0', 'version 0.2.0 '],
  ['version 0.2.0', 'version  0.2.0'],
  ['version 0.2.0', ' version 0.2.0'],
  ['version 0.2.0\n', 'version 0.2.0\n\n'],
  ['T12:00:00Z', 'T25:00:00Z'],
  ['2026-11-28', '2026-02-30'],
  ['T12:00:00Z', 'T12:00:00.000Z'],
  ['kernel 5.13', 'kernel 5'],
  ['kernel 5.13', 'kernel 5.13.0'],
  ['0123456789abcdef0123456789abcdef01234567', '0123456789abcdef'],
  ['revoked 00112233445566ff', 'revoked 00112233445566FF'],
  ['revoked 00112233445566ff', 'revoked all'],
  ['110000000', '1e8'],
  ['110000000', '0'],
  ['110000000', '-1'],
  ['110000000', '0x10'],
  ['110000000', '1073741825'],
  ['110000000', '99999999999999999999'],
  [digest('a'), digest('A')],
  [digest('a'), 'a'.repeat(63)],
  ['linux-x64 zstd', 'linux-x64 xz'],
  ['linux-x64 zstd', 'linux-x64 constructor'],
  ['coop-0.2.0-linux-x64.gz', '../coop-0.2.0-linux-x64.gz'],
  ['coop-0.2.0-linux-x64.gz', 'x/coop-0.2.0-linux-x64.gz'],
  ['coop-0.2.0-linux-x64.gz', '.coop-0.2.0-linux-x64.gz'],
  ['coop-0.2.0-linux-x64.gz', 'coop-0.2.0-linux-x64.gz extra'],
  ['binary linux-x64', 'binary ../linux-x64'],
  ['coop.1\n', '../coop.1\n'],
  ['man 900', 'man 99999999'],
])('refused: %j as %j', (from, to) => {
  expect(text).toContain(from)
  expect(refusal(text.replace(from, to))).not.toBe('accepted')
})

test('control characters, other encodings and huge files are refused; invisible ones do not reach a terminal', () => {
  for (const control of ['\u001b[2J', '\r', '\t', '\0', '\u0085', '\u009b2J'])
    expect(refusal(text.replace('faster', control))).toContain('control characters (line 13)')
  expect(refusal(new Uint8Array([...new TextEncoder().encode(text), 0xff, 0x0a]))).toContain('not UTF-8')
  expect(refusal(`${text}note ${'x'.repeat(65536)}\n`)).toContain('larger than 64 KiB')
  expect(refusal('')).toContain('cut off')
  expect(parse(`${text}note a\u202eb\u200bc\u{e0041}\n`).notes.at(-1)).toBe('abc')
})

test('a manifest that readers would refuse is not printed', () => {
  expect(() => printManifest({ ...release, notes: ['one\ntwo three'], version: '0.2.0' })).not.toThrow()
  expect(() => printManifest({ ...release, notes: ['one\nversion 9.9.9'] })).toThrow('twice')
  expect(() => printManifest({ ...release, notes: ['bell\u0007'] })).toThrow('control characters')
  expect(() => printManifest({ ...release, version: '0.3.0' })).toThrow('gives the archive')
})
