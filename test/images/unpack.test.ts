/** Coop unpacks images of a real registry to the same files as umoci. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { canMakeNamespaces, needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, nothingLeft, output } from '../integration/support.ts'
import { LAYERS } from './layers.ts'
import { publishPlain } from './publish.ts'
import { debian, debianNeeds, smallRoot } from './roots.ts'
import { layout, RealRegistry, run, tools } from './support.ts'

const MADE_MS = 300_000

const LIST = 'find / -xdev -printf "/%P|%y|%m|%U:%G|%s|%n|%T@|%l\\n" | sort'
const SUMS = 'find / -xdev -type f -exec sha256sum {} + | sort -k2'
const TREE = `${LIST}; ${SUMS}`

/** Every extended attribute below /, in Perl, which every Debian has; its `syscall` has no names there. */
const ATTRIBUTES = `
my ($list, $get) = (\`uname -m\` =~ /aarch64/) ? (12, 9) : (195, 192);
for my $path (split /\\n/, \`find / -xdev | sort\`) {
  my $names = "\\0" x 4096; my $file = "$path\\0";
  my $size = syscall($list, $file, $names, 4096);
  next if $size <= 0;
  for my $name (sort split /\\0/, substr($names, 0, $size)) {
    my $value = "\\0" x 4096; my $key = "$name\\0";
    my $n = syscall($get, $file, $key, $value, 4096);
    print "$path $name=", unpack("H*", substr($value, 0, $n)), "\\n" if $n >= 0;
  }
}`

/** Places that belong to the box, so that the image’s are hidden; its working folder is made there, too. */
const OWN =
  /^\/(?:(?:dev|proc|sys|run|tmp|home|srv)(?:$|\/)|etc$|etc\/(?:group|hostname|hosts|localtime|passwd|sudoers\.d(?:\/coop)?|timezone|resolv\.conf)$|$)/
/** Folders that a layer changes without an entry for them: umoci gives them the time of unpacking. */
const UNDESCRIBED = new Set(['/data', '/data/emptied', '/data/described-once'])

/** Lines to compare. Overlayfs counts the sizes and links of folders differently from other file systems. */
function files(listing: string, owners: boolean): string[] {
  return listing.split('\n').flatMap((line) => {
    const sum = /^([0-9a-f]{64}) {2}(.*)$/.exec(line)
    if (sum) return OWN.test(sum[2] ?? '') ? [] : [line]
    const [name = '', type = '', mode = '', owner = '', size = '', links = '', time = '', link = ''] =
      line.split('|')
    if (!type || OWN.test(name)) return []
    const who = owners ? [mode, owner] : [mode.slice(-3)]
    return [
      [
        name,
        type,
        ...who,
        ...(type === 'd' ? [] : [size, links]),
        UNDESCRIBED.has(name) ? '' : time,
        link,
      ].join('|'),
    ]
  })
}

interface Peer {
  readonly tree: string
  readonly attributes: string
}

let registry: RealRegistry
let folder: string
let small: Peer
let whole: Peer

/** The files as umoci unpacks them. */
function unpacked(image: string, perl: boolean): Peer {
  const peer = join(folder, 'peer')
  run(['umoci', 'unpack', '--image', image, peer])
  const inside = (...command: readonly string[]): string => run(['chroot', join(peer, 'rootfs'), ...command])
  try {
    const attributes = perl ? inside('perl', '-e', ATTRIBUTES) : ''
    return { tree: inside('sh', '-c', TREE), attributes }
  } finally {
    rmSync(peer, { recursive: true })
  }
}

const CONFIG = ['--config.env', 'FROM_IMAGE=yes=really', '--config.workingdir', '/srv/work']

beforeAll(async () => {
  if (tools.missing) return
  folder = mkdtempSync('/var/tmp/coop-image-')
  registry = await RealRegistry.start()
  const image = layout(folder, [smallRoot(folder), ...LAYERS], CONFIG)
  await registry.push(image, 'all:gzip')
  await registry.push(image, 'all:zstd', ['--dest-compress-format', 'zstd'])
  await registry.push(image, 'all:docker', ['--format', 'v2s2'])
  await publishPlain(registry.host, image, 'all', 'plain')
  small = unpacked(image, false)
  if (debianNeeds.missing) return
  const large = layout(folder, [debian(), ...LAYERS], CONFIG)
  await registry.push(large, 'debian:whole')
  whole = unpacked(large, true)
}, MADE_MS)
afterAll(async () => {
  if (tools.missing) return
  await registry[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
}, MADE_MS)

describe.each(everyone)('as $name', (invoker) => {
  const possible = needsAll({ 'user namespaces': canMakeNamespaces(invoker) })
  const skip = tools.missing || possible.missing
  const note = `${tools.note}${possible.note}`
  const inBox = async (t: Scratch, name: string, ...command: readonly string[]): Promise<string> =>
    output(await t.coop(['run', '--image', name, '--', ...command]))

  for (const tag of ['gzip', 'zstd', 'docker', 'plain'])
    test.skipIf(skip)(`${tag} layers are unpacked to the same files as by umoci${note}`, async () => {
      await using t = await scratch(invoker, { git: false })
      const name = `${registry.host}/all:${tag}`
      output(await t.coop(['image', 'pull', '-q', name]))
      const tree = await inBox(t, name, 'sh', '-c', TREE)
      expect(files(tree, invoker.hasRange)).toEqual(files(small.tree, invoker.hasRange))
      const script = 'echo "$FROM_IMAGE"; ls -d /srv/work; du -k /data/sparse | cut -f1'
      expect(await inBox(t, name, 'sh', '-c', script)).toMatch(/^yes=really\n\/srv\/work\n[48]\n$/)
    })

  test.skipIf(skip || debianNeeds.missing)(
    `a Debian is unpacked as umoci does, every file and attribute of it${note}${debianNeeds.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const name = `${registry.host}/debian:whole`
      output(await t.coop(['image', 'pull', '-q', name], { timeoutMs: 90_000 }))
      const tree = files(await inBox(t, name, 'sh', '-c', TREE), invoker.hasRange)
      expect(tree.length).toBeGreaterThan(10_000)
      expect(tree).toEqual(files(whole.tree, invoker.hasRange))
      const attributes = await inBox(t, name, 'perl', '-e', ATTRIBUTES)
      expect(attributes).toContain('/data/link-below user.mime=')
      expect(attributes).toBe(whole.attributes)
    },
  )

  test.skipIf(skip)(`changes of a box are in no other box, and images can be removed${note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const name = `${registry.host}/all:gzip`
    expect((await t.coop(['run', '--image', name, '--', 'true'])).stderr).toContain(`coop image pull ${name}`)
    output(await t.coop(['image', 'pull', '-q', name]))
    const script = 'rm -r /data/kept; echo x >/data/new; ls /data/kept 2>&1; :'
    expect(await inBox(t, name, 'sh', '-c', script)).toContain('No such')
    const look = 'cat /data/kept/file; ls /data/new 2>&1; :'
    expect(await inBox(t, name, 'sh', '-c', look)).toMatch(/^kept\n.*No such/)
    const [image] = JSON.parse(output(await t.coop(['image', 'ls', '--json']))) as unknown[]
    expect(image).toMatchObject({ reference: name, layers: 4 })
    await nothingLeft(t) // a layer of a box stays
    output(await t.coop(['image', 'rm', name]))
    expect(JSON.parse(output(await t.coop(['image', 'ls', '--json'])))).toEqual([])
    const top = join(t.dataDir, 'images/layers')
    expect(readdirSync(top).flatMap((kind) => readdirSync(join(top, kind)))).toEqual([])
  })
})
