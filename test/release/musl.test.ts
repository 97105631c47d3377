/** The executable for musl, in a system that has no glibc. */
import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../harness/coop.ts'
import { hasCommand, needsAll } from '../harness/facts.ts'
import { inRoot, makeMuslRoot } from './musl-root.ts'
import { ran, temporaryFolder, worked } from './support.ts'

const can = needsAll({
  'an x64 machine': process.arch === 'x64',
  root: process.getuid?.() === 0,
  ...Object.fromEntries(['apt-get', 'busybox', 'cc', 'unshare'].map((name) => [name, hasCommand(name)])),
})

/** Prints one line for each thing that works. */
const SCRIPT = `set -e
mkdir -p ~/project && cd ~/project
coop --version
coop run -- sh -c 'echo "$(id -u) $(cat /proc/1/comm) $(hostname)"'
echo through | coop run -- cat
coop run -- sh -c 'exit 7' || echo "exit $?"
coop run -- touch made && ls
coop run -- ls /lib/ld-musl-x86_64.so.1
coop create -q --agent 'sleep 1000' box
coop exec -n box -- sh -c 'echo inside; echo x > /etc/mine'
coop cp box:/etc/mine . && cat mine
coop snapshot create one >&2 && coop snapshot ls | grep -ow one
coop kill box >&2
coop ls 2>&1 | grep -o 'no boxes'
coop system shutdown >&2
`

const WORKS = [
  /^coop 9\.8\.7 \(.*linux-x64-musl\)$/,
  /^0 coop-init project-run/,
  /^through$/,
  /^exit 7$/,
  /^made$/,
  /^\/lib\/ld-musl-x86_64\.so\.1$/,
  /^inside$/,
  /^x$/,
  /^one$/,
  /^no boxes$/,
  /^$/,
]

describe.skipIf(can.missing)(`on musl${can.note}`, () => {
  test('root and an ordinary user with one id run boxes: commands, files, copies, snapshots; a chroot is named', async () => {
    using folder = temporaryFolder('coop-musl-')
    const coop = join(folder.path, 'coop')
    const build = join(repository, 'scripts/build.mjs')
    await worked(['node', build, '--release', '9.8.7', coop, '--target', 'linux-x64-musl'])
    const root = join(folder.path, 'root')
    await makeMuslRoot(root, coop)
    writeFileSync(join(root, 'script.sh'), SCRIPT)
    for (const command of ['sh /script.sh', "su user -c 'sh /script.sh'"]) {
      const { stdout, stderr, code } = await ran(inRoot(root, command))
      const lines = stdout.split('\n')
      expect([command, code, lines, stderr]).toEqual([
        ...[command, 0, WORKS.map((line) => expect.stringMatching(line))],
        expect.any(String), // shown when something is wrong
      ])
    }
    const chroot =
      "mkdir /tmp/c && mount --rbind / /tmp/c && exec chroot /tmp/c su user -c 'cd /home/user/project && "
    for (const user of ['user', 'root']) {
      const { stderr } = await ran(
        inRoot(root, `${chroot.replace('su user', `su ${user}`)}coop run -- true'`),
      )
      expect(stderr).toMatch(
        /does not let you make user namespaces \(clone: EPERM\)[\s\S]*in a chroot there are none/,
      )
    }
  })
})
