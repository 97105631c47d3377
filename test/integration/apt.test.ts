/** A real distribution as a box's root: packages install into the box only, and are removed with it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, hasCommand, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { type Invoker, invokers } from '../harness/users.ts'
import { nothingLeft, output, startBox } from './support.ts'

const SUITE = 'bookworm'
const ARCHIVE = `/var/tmp/coop-test-${SUITE}.tar`
const FRESH_MS = 24 * 3600 * 1000 // for that long its package lists fit the mirror's
const MAKE_MS = 300_000
const INSTALL_MS = 120_000

const tools = needsAll({
  root: process.getuid?.() === 0,
  mmdebstrap: hasCommand('mmdebstrap'),
})

/** One archive for all tests of a day; mmdebstrap takes the mirror from the machine's own configuration. */
function makeArchive(): void {
  const old = statSync(ARCHIVE, { throwIfNoEntry: false })
  if (old?.uid === 0 && old.isFile() && Date.now() - old.mtimeMs < FRESH_MS) return
  const folder = mkdtempSync('/var/tmp/coop-rootfs-')
  try {
    const made = join(folder, 'rootfs.tar')
    const command = ['mmdebstrap', '--quiet', '--variant=apt', '--skip=cleanup/apt/lists', SUITE, made]
    const { success, stderr } = Bun.spawnSync(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
    if (!success) throw new Error(`mmdebstrap failed: ${stderr.toString()}`)
    renameSync(made, ARCHIVE)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Unpacks it with the ids of the invoker's boxes. Returns the folder. */
async function unpack(t: Scratch): Promise<string> {
  const root = t.folder('image')
  const tar = ['tar', '-x', '-p', '--numeric-owner', '--exclude=./dev/*', '-f', ARCHIVE, '-C', root]
  const mapped = ['unshare', '--map-root-user', '--map-auto', '--', ...tar]
  output(await t.run(t.invoker.uid === 0 ? tar : mapped, { timeoutMs: INSTALL_MS }))
  return root
}

/** Every file with owner, mode, size and time, as root sees them. */
function listing(folder: string): string {
  const { stdout } = Bun.spawnSync(['find', folder, '-printf', '%P %U:%G %m %s %T@ %l\n'], {
    maxBuffer: 1 << 28,
  })
  return stdout.toString().split('\n').toSorted().join('\n')
}

const possible = (invoker: Invoker) =>
  needsAll({ 'subordinate ids': invoker.hasRange, 'user namespaces': canMakeNamespaces(invoker) })

beforeAll(() => {
  if (!tools.missing) makeArchive()
}, MAKE_MS)

describe.each(invokers)('as $name', (invoker) => {
  const can = possible(invoker)
  const missing = tools.missing || can.missing
  const note = `${tools.note}${can.note}`
  let image: Scratch
  let root: string

  beforeAll(async () => {
    if (missing) return
    image = await scratch(invoker, { git: false })
    root = await unpack(image)
  }, INSTALL_MS)
  afterAll(async () => {
    if (!missing) await image[Symbol.asyncDispose]()
  }, INSTALL_MS)

  test.skipIf(missing)(
    `apt installs into the box and nowhere else${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const before = listing(root)
      t.settings(`[sandbox]\nimage = "rootfs:${root}"\n`)
      await startBox(t)
      expect((await t.coop(['exec', 'tree', '--version'])).code).toBe(127)
      const install =
        'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends tree'
      const { code, stdout, stderr } = await t.coop(['exec', 'sh', '-c', install], { timeoutMs: INSTALL_MS })
      if (code !== 0) throw new Error(`apt failed (${code}):\n${stdout}\n${stderr}`)
      expect(`${stdout}${stderr}`).not.toMatch(/^[WE]: |dpkg: error|cannot|Operation not permitted/m)
      expect(output(await t.coop(['exec', 'tree', '--version']))).toMatch(/^tree v/)
      expect(output(await t.coop(['exec', 'dpkg', '--verify', 'tree']))).toBe('')
      // Files of ids that exist only in the box.
      const others =
        'useradd -m robin && su robin -c "echo mine >~/file" && mkdir -m 700 /srv/closed && touch /srv/closed/x && chown -R 33:33 /srv/closed && stat -c %U:%G:%A /home/robin/file /srv/closed/x'
      expect(output(await t.coop(['exec', 'sh', '-c', others]))).toBe(
        'robin:robin:-rw-r--r--\nwww-data:www-data:-rw-r--r--\n',
      )
      expect(output(await t.coop(['exec', 'touch', 'made-inside']))).toBe('')
      expect(statSync(join(t.workspace, 'made-inside'))).toMatchObject({ uid: invoker.uid, gid: invoker.gid })
      // Another box of the same image has none of the package's files.
      expect((await t.coop(['run', '--', 'tree', '--version'])).code).toBe(127)
      output(await t.coop(['kill', '-f']))
      await nothingLeft(t)
      expect(listing(root)).toBe(before)
    },
    INSTALL_MS,
  )

  // Root's boxes cannot mark files (SECURITY.md): on root's workspace the mark would be the host's root.
  test.skipIf(missing || invoker.uid === 0)(
    `packages with setuid programs and setgid folders install, too${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const install =
        'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends sudo && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --reinstall base-files && stat -c %u /usr/bin/sudo'
      const { code, stdout, stderr } = await t.coop(
        ['run', '--image', `rootfs:${root}`, '--', 'sh', '-c', install],
        { timeoutMs: INSTALL_MS },
      )
      if (code !== 0) throw new Error(`apt failed (${code}):\n${stdout}\n${stderr}`)
      expect(stdout).toMatch(/^0$/m)
      await nothingLeft(t)
    },
    INSTALL_MS,
  )

  test.skipIf(missing)(
    `the box is the distribution's, with coop's user${note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const inside = async (script: string) =>
        output(await t.coop(['run', '--image', `rootfs:${root}`, '--', 'sh', '-c', script]))
      expect(await inside('. /etc/os-release; echo $VERSION_CODENAME; id -un; echo ~; pwd; hostname')).toBe(
        `${SUITE}\ncoop\n/home/coop\n${t.workspace}\nproject-run\n`,
      )
      expect(await inside('stat -c "%U %a" /etc/shadow /usr/bin/passwd; getent passwd www-data')).toMatch(
        /^coop 640\ncoop 4755\nwww-data:x:33:/,
      )
      expect(await inside('test -s /etc/resolv.conf && getent hosts localhost | wc -l')).toBe('1\n')
      expect(
        await inside(
          'rm -rf /usr/share/doc /opt; mkdir /opt; ls -A /opt | wc -l; test -e /usr/share/doc; echo $?',
        ),
      ).toBe('0\n1\n')
      await nothingLeft(t)
    },
    INSTALL_MS,
  )
})
