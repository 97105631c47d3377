/** `coop update` and back in a system of musl and busybox: a box's command goes on, and not a line of it is lost. */
import { describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasCommand, needsAll } from '../harness/facts.ts'
import { makeRelease, ReleaseServer } from '../install/releases.ts'
import { inRoot, makeMuslRoot } from '../release/musl-root.ts'
import { ran, temporaryFolder } from '../release/support.ts'
import { build } from './support.ts'

const TARGET = 'linux-x64-musl'
const can = needsAll({
  'an x64 machine': process.arch === 'x64',
  root: process.getuid?.() === 0,
  ...Object.fromEntries(['apt-get', 'busybox', 'cc', 'unshare'].map((name) => [name, hasCommand(name)])),
})

/** The ticks of a command have to be there once and in order, from before the update until after the way back. */
const script = (base: string): string => `set -e
export COOP_BASE_URL=${base}
mkdir -p ~/bin ~/project && cp /usr/bin/coop ~/bin/coop && cd ~/project
coop=~/bin/coop
version() { $coop system status | grep -o 'version .*' | tr -s ' '; }
more() { n=$(wc -l < ticks); while [ $(wc -l < ticks) -lt $((n + 10)) ]; do sleep 0.1; done; }
$coop run -- sh -c 'i=0; while [ ! -e stop ]; do i=$((i+1)); echo $i; sleep 0.02; done; exit 5' > ticks &
until [ -s ticks ]; do sleep 0.1; done
$coop update --check | head -1
$coop update >&2
$coop --version | cut -d ' ' -f 2
version
more
$coop update --rollback >&2
version
more
touch stop
wait $! || echo "exit $?"
seq $(wc -l < ticks) | cmp - ticks && echo whole
$coop system shutdown >&2
ls -A ~/bin
`

const EXPECTED = [
  'coop 2.0.0 is the newest release; this is 1.0.0',
  '2.0.0',
  'version 2.0.0',
  'version 1.0.0',
  'exit 5',
  'whole',
  'coop',
  '',
]

describe.skipIf(can.missing)(`on musl${can.note}`, () => {
  test('root and an ordinary user update, and go back', async () => {
    using folder = temporaryFolder('coop-musl-update-')
    const [older, newer] = [join(folder.path, 'older'), join(folder.path, 'newer')]
    await Promise.all([build('1.0.0', older, TARGET), build('2.0.0', newer, TARGET)])
    using server = new ReleaseServer(
      makeRelease({ version: '2.0.0', binary: readFileSync(newer), target: TARGET, packings: ['zstd'] }),
    )
    const root = join(folder.path, 'root')
    await makeMuslRoot(root, older)
    writeFileSync(join(root, 'script.sh'), script(server.base))
    for (const command of ['sh /script.sh', "su user -c 'sh /script.sh'"]) {
      const { stdout, stderr, code } = await ran(inRoot(root, command))
      expect([command, code, stdout.split('\n'), stderr]).toEqual([command, 0, EXPECTED, expect.any(String)])
    }
  }, 120_000) // two builds, a package, and two systems
})
