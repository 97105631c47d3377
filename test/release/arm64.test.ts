/**
 * The executable for arm64, run by qemu's emulation of programs. docs/releasing.md lists what that cannot do: the
 * emulation has no namespaces and no openat2, so that no box starts there.
 */
import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath, repository } from '../harness/coop.ts'
import { needsAll } from '../harness/facts.ts'
import { ran, temporaryFolder, worked } from './support.ts'

/** Debian's libc6-arm64-cross. */
const LIBRARIES = '/usr/aarch64-linux-gnu'
const QEMU = ['qemu-aarch64-static', '-L', LIBRARIES]

const can = needsAll({
  'an x64 machine': process.arch === 'x64',
  'qemu-aarch64-static': Bun.which('qemu-aarch64-static') !== null,
  'libc6-arm64-cross': existsSync(join(LIBRARIES, 'lib/ld-linux-aarch64.so.1')),
})

describe.skipIf(can.missing)(`on arm64${can.note}`, () => {
  test('coop starts, knows what it is, prints help and completions, and refuses as it does on x64', async () => {
    using folder = temporaryFolder('coop-arm64-')
    const arm = join(folder.path, 'coop')
    const build = join(repository, 'scripts/build.mjs')
    await worked(['node', build, '--release', '9.8.7', arm, '--target', 'linux-arm64'])
    expect(await worked([...QEMU, arm, '--version'])).toMatch(/^coop 9\.8\.7 \(.*\blinux-arm64\)\n$/)
    const alike = [['--help'], ['run', '--help'], ['completion', 'bash'], ['rnu'], ['run', '--nonsense']]
    for (const args of alike)
      expect(await ran([...QEMU, arm, ...args])).toEqual(await ran([coopPath(), ...args]))
  })

  // The C loop that is PID 1 of every box, compiled by the arm64 Bun, with this architecture's system call numbers. Without
  // the test of openat2(2), which this emulator does not know (7.2).
  test('an init runs batches, forks programs and passes descriptors', async () => {
    const bun = await worked([
      'node',
      '--input-type=module',
      '-e',
      `import { bunOf } from ${JSON.stringify(join(repository, 'scripts/buns.mjs'))}
      console.log(bunOf('linux-arm64'))`,
    ])
    const { code, stderr } = await ran([
      ...['sh', '-c', 'cd "$0" && exec "$@"', repository, ...QEMU, bun.trim(), 'test', './ffi/batch.test.ts'],
      ...[
        './ffi/channel.test.ts',
        '--timeout=60000',
        '-t',
        '^(a batch (?!opens a path inside)|descriptors|an init|a forked child (runs|that))',
      ],
    ])
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^ 1\d pass$[\s\S]*^ 0 fail$/m)])
  })
})
