/** Whatever install.sh believes of a release, coop believes, and the other way round: both get the same bytes. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sign } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseManifest } from '../../src/release/manifest.ts'
import { verifySignature } from '../../src/release/signature.ts'
import { baseAddress } from '../../src/update/address.ts'
import { needs } from '../harness/facts.ts'
import { current, foreign, installer, type Key, littleCoop, makeRelease, next, TARGET } from './releases.ts'

const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh'], ['zsh']] as const
const can = needs('dash', 'bash', 'busybox', 'zsh', 'openssl')

let folder: string
beforeAll(() => {
  folder = mkdtempSync('/var/tmp/coop-differential-')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Files of a case by name. */
type Case = Readonly<Record<string, Uint8Array | string>>

/** Runs functions of install.sh in the folder of each case; returns what they print, or `no` where they fail. */
function answers(shell: readonly string[], cases: readonly Case[], work: string): string[] {
  const at = mkdtempSync(join(folder, 'cases-'))
  for (const [i, files] of cases.entries()) {
    const one = join(at, String(i).padStart(4, '0'))
    mkdirSync(one)
    for (const [name, content] of Object.entries(files)) writeFileSync(join(one, name), content)
  }
  const driver = `for work in "${at}"/*; do (${work}) 2>/dev/null || echo no; done`
  const whole = installer({ releases: 'https://example.com' })
  const script = whole.replace(/^ {2}find_folders\n {2}\$action$/m, () => driver)
  if (script === whole) throw new Error('install.sh has another end')
  const [program = '', ...args] = shell
  const { stdout, exitCode } = Bun.spawnSync([program, ...args, '-s'], {
    stdin: Buffer.from(script),
    cwd: '/',
  })
  expect(exitCode).toBe(0)
  return stdout.toString().split('\n').slice(0, -1)
}

/** What two lists have in different ways, with the case. */
const different = (cases: readonly Case[], ours: readonly string[], shells: readonly string[]) =>
  cases.flatMap((files, i) =>
    ours[i] === shells[i]
      ? []
      : [
          {
            files: Object.values(files).map((file) => Buffer.from(file).toString('latin1')),
            ours: ours[i],
            shells: shells[i],
          },
        ],
  )

const attempt = (work: () => string): string => {
  try {
    return work()
  } catch {
    return 'no'
  }
}

const good = Buffer.from(
  makeRelease({ version: '1.2.3-rc.1', binary: littleCoop('1.2.3-rc.1'), revoked: [foreign.id] }).get(
    'manifest.txt',
  ) ?? '',
).toString('latin1')

/** The manifest with one line in the place of another. */
const line = (fact: string, text: string): string => good.replace(new RegExp(`^${fact} .*$`, 'm'), () => text)
const after = (text: string): string => good + text

function manifests(): string[] {
  const target = TARGET
  const digest = 'a'.repeat(64)
  const versions = [
    '1',
    '1.2',
    '01.2.3',
    '1.2.3-01',
    '1.2.3-1000000000',
    '1.2.3-0a',
    '1.2.3-',
    '1.2.3-a..b',
    '1.2.3+b',
    '1000000000.0.0',
    '999999999.0.0',
    `1.2.3-${'a'.repeat(58)}`,
    `1.2.3-${'a'.repeat(59)}`,
    '1.2.3-é',
    '1.2.3-10000000000000000000000',
  ]
  const times = [
    '2026-02-29T00:00:00Z',
    '2028-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:60:00Z',
    '2026-12-31T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2026-01-01T00:00:00z',
    '2026-01-01 00:00:00Z',
    '+026-01-01T00:00:00Z',
  ]
  const kernels = ['5', '5.', '05.1', '5.1.2', '5.0001', '5.008', '1000.1', '0.1']
  const sizes = ['0', '01', '1073741824', '1073741825', '99999999999', '1e3', '']
  return [
    good,
    ...versions.flatMap((v) => good.replaceAll('1.2.3-rc.1', v)),
    ...times.map((t) => line('time', `time ${t}`)),
    ...kernels.map((k) => line('kernel', `kernel ${k}`)),
    ...sizes.flatMap((s) => [
      line('binary', `binary ${target} ${s} ${digest}`),
      good.replace(/^(archive \S+ \S+) \d+/m, `$1 ${s}`),
      line('man', `man ${s} ${digest} coop.1`),
    ]),
    line('binary', `binary ${target} 5 ${'A'.repeat(64)}`),
    line('binary', `binary ${target} 5 ${'a'.repeat(63)}`),
    line('binary', `binary ${target} 5`),
    ...['version', 'commit', 'time', 'kernel', 'binary', 'archive', 'man', 'revoked', 'note'].flatMap(
      (fact) => {
        const [whole = ''] = new RegExp(`^${fact} .*\n`, 'm').exec(good) ?? []
        const one = whole.slice(0, -1)
        return [
          good.replace(whole, ''),
          after(whole),
          ...[`${one} more`, `${one} `, one.replace(' ', '  '), `${one}\r`, fact].map((text) =>
            line(fact, text),
          ),
        ]
      },
    ),
    ...[' time 2026', 'time\t2026', '\0', `kernel 5\0.13`, `\\time 2026`].map((text) => after(`${text}\n`)),
    line('version', 'version 1.2.3-rc\0.1'),
    line('time', 'time\x002026-11-20T12:00:00Z'),
    line('commit', `commit ${'0'.repeat(39)}\\`),
    after(`archive ${target} zstd 5 ${digest} other.zst\n`),
    after(`archive ${target} xz 5 ${digest} coop-1.2.3-rc.1-${target}.xz\n`),
    after(`archive other zstd 5 ${digest} coop-1.2.3-rc.1-other.zst\n`),
    after(`binary other 5 ${digest}\n`),
    after(`binary other 5 ${digest}\narchive other zstd 5 ${digest} coop-1.2.3-rc.1-other.zst\n`),
    after(`binary OTHER 5 ${digest}\narchive OTHER zstd 5 ${digest} coop-1.2.3-rc.1-OTHER.zst\n`),
    after(`revoked 0123\n`),
    after(`revoked ${next.id}\nrevoked ${next.id}\n`),
    after('coop-release 1\n'),
    after('coop-release\n'),
    after('coop-release 2\n'),
    after('\n'),
    after(' \n'),
    after('\\\nversion 9.9.9\n'),
    after('x\\\nversion 9.9.9\n'),
    after('unknown fact\n'),
    after('unknown\n'),
    after('ünknown\n'),
    after('unknown  two\n'),
    after('VERSION 9.9.9\n'),
    after('version'),
    after('note no end'),
    after('note \x1b[31mred\n'),
    after('note \x07\n'),
    after('note \x7f\n'),
    after('note \xc2\x9b31m\n'), // U+009B
    after('note \xc2\xa0\n'),
    after('note \x80\n'),
    after('note \xff\n'),
    after('note \xc0\xaf\n'), // an overlong slash
    after('note \xed\xa0\x80\n'), // half of a surrogate pair
    after('note \xf4\x90\x80\x80\n'), // beyond Unicode
    after('note \xf0\x9f\x93\xa6 \xe2\x80\xae\n'),
    after('note \xe2\x80\n'),
    `\xef\xbb\xbf${good}`,
    good.replace('coop-release 1', 'coop-release 01'),
    good.replace('coop-release 1', 'coop-release 1 '),
    good.replace('coop-release 1', 'coop-release 1\r'),
    good.replace('coop-release 1', 'coop-release 1\0'),
    good.replace('coop-release 1', 'coop-release  1'),
    good.replace('coop-release 1', 'coop-release 10'),
    `\n${good}`,
    good.replaceAll('\n', '\r\n'),
    good.replaceAll('\n', '\r'),
    good.slice(0, -1),
    '',
    '\n',
    'coop-release 1\n',
  ]
}

describe.skipIf(can.missing)(`install.sh and coop read alike${can.note}`, () => {
  test('manifests', () => {
    const cases = manifests().map((text) => ({ 'manifest.txt': Buffer.from(text, 'latin1') }))
    const ours = cases.map(({ 'manifest.txt': bytes }) =>
      attempt(() => {
        const { version, time, kernel, binaries, archives, revoked } = parseManifest(bytes)
        const binary = binaries.get(TARGET)
        const archive = archives.find(({ target, packing }) => target === TARGET && packing === 'zstd')
        if (!binary || !archive) return 'no'
        const files = [binary.size, binary.sha256, archive.size, archive.sha256, archive.name]
        return [version, time, kernel, ...files, ...revoked].join(' ')
      }),
    )
    expect(ours.filter((answer) => answer !== 'no').length).toBeGreaterThan(20)
    expect(ours[0]).not.toBe('no')
    const work = `target=${TARGET} packings=zstd where=latest/download base=https://x
      read_manifest; choose_files
      echo $version $time $kernel $binary_size $binary_digest $archive_size $archive_digest $archive $newly_revoked`
    for (const [i, shell] of SHELLS.entries()) {
      const some = (_: unknown, at: number) => i === 0 || at % 16 === i
      const picked = cases.filter(some)
      expect(different(picked, ours.filter(some), answers(shell, picked, work))).toEqual([])
    }
  })

  test('signatures', () => {
    const manifest = Buffer.from(good, 'latin1')
    const signed = ({ id, secret }: Key) => `${id} ${sign(null, manifest, secret).toString('base64')}\n`
    const [one, two, strange] = [signed(current), signed(next), signed(foreign)]
    const wrong = `${current.id} ${Buffer.alloc(64).toString('base64')}\n`
    const cases = [
      ...[one, two, strange, wrong, '', '\n', one + two, two + one, strange + one, wrong + one, wrong + two],
      ...[
        one + one,
        one.slice(0, -1),
        one + two.slice(0, -1),
        one.replace('\n', ' \n'),
        one.replace(' ', '  '),
      ],
      ...[one.replace('\n', '\r\n'), one.replace(' ', '\t'), ` ${one}`, `\n${one}`, `${one}\n`, `${one}\0\n`],
      ...[one.replace('\n', '\0\n'), one.replace('==', '='), one.replace('==', ''), `${one}<html>\n`],
      one.replace(
        /(.)==/,
        (_, digit) => `${({ A: 'B', Q: 'R', g: 'h' } as Record<string, string>)[digit] ?? 'x'}==`,
      ), // spare bits
      one.replace(/^./, 'A'),
      one.toUpperCase(),
      strange.repeat(30) + one,
      `${one}${strange.slice(0, 40)}\n`,
      `${current.id} \n`,
      `${current.id}\n${one}`,
      strange.replace(foreign.id, current.id) + one,
    ]
    for (const revoked of [[], [current.id]]) {
      const ours = cases.map((text) =>
        attempt(() =>
          verifySignature(manifest, Buffer.from(text, 'latin1'), {
            keys: [current.text, next.text],
            revoked,
          }),
        ),
      )
      expect(ours).toContain(next.id)
      const files = cases.map((text) => ({
        'manifest.txt': manifest,
        'manifest.txt.sig': Buffer.from(text, 'latin1'),
      }))
      const work = `fetch() { got=$(size_of "$2"); }; can_check_signatures() { :; }
        hasher=sha256sum base=x where=x last_try=yes revoked='${revoked.join(' ')}'; check_signature && echo $signer`
      expect(different(files, ours, answers(SHELLS[0], files, work))).toEqual([])
    }
  })

  test('addresses', () => {
    const port = '8080'
    const cases = [
      ...[
        'https://example.com',
        'https://example.com/a/@b/',
        `http://localhost:${port}`,
        'http://127.0.0.1',
        'http://[::1]:8080/x',
      ],
      ...[
        'http://example.com',
        'http://127.example.com',
        'http://127.0.0.1.example.com',
        'http://localhost.example.com',
      ],
      ...[
        `http://localhost:${port}@example.com`,
        `http://127.0.0.1@example.com`,
        'http://[::1]:1@example.com',
        'http://[::1].example.com',
      ],
      ...[
        'https://name:word@example.com',
        'https://example.com/?a=b',
        'https://example.com/#a',
        'file:///etc',
      ],
      ...['http://127.0.0.1.5', 'ftp://localhost', 'https://', 'localhost'],
    ]
    const ours = cases.map((text) => attempt(() => `${baseAddress({ COOP_BASE_URL: text }) && 'yes'}`))
    const files = cases.map((text) => ({ base: text }))
    const work = `find_target() { echo yes; exit; }; COOP_BASE_URL=$(cat "$work/base"); install_coop`
    expect(different(files, ours, answers(SHELLS[0], files, work))).toEqual([])
  })
})
