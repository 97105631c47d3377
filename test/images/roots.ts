/** Root file systems for images: a whole Debian, and the smallest that can run a shell. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { hasCommand, type Needs, needsAll } from '../harness/facts.ts'
import { run } from './support.ts'

const SUITE = 'bookworm'
const ARCHIVE = `/var/tmp/coop-test-${SUITE}.tar` // also test/integration/apt.test.ts's
const FRESH_MS = 24 * 3600 * 1000 // for that long its package lists fit the mirror's

export const debianNeeds: Needs = needsAll({ mmdebstrap: hasCommand('mmdebstrap') || existsSync(ARCHIVE) })

/** The archive of a Debian with apt; mmdebstrap makes it once a day. */
export function debian(): string {
  const old = statSync(ARCHIVE, { throwIfNoEntry: false })
  if (old?.isFile() && old.uid === 0 && Date.now() - old.mtimeMs < FRESH_MS) return ARCHIVE
  const folder = mkdtempSync('/var/tmp/coop-rootfs-')
  try {
    const made = join(folder, 'rootfs.tar')
    run(['mmdebstrap', '--quiet', '--variant=apt', '--skip=cleanup/apt/lists', SUITE, made])
    renameSync(made, ARCHIVE)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return ARCHIVE
}

const PROGRAMS = [
  ...['sh', 'cat', 'ls', 'mkdir', 'rm', 'touch', 'sleep', 'head', 'dd'],
  ...['find', 'sort', 'sha256sum', 'du', 'cut', 'chmod', 'chown'],
]

/** An archive with a shell and a few programs of this machine: a hundredth of a Debian, for tests that need no more. */
export function smallRoot(folder: string): string {
  const root = join(folder, 'small')
  const install = (from: string, to: string): void => {
    mkdirSync(dirname(join(root, to)), { recursive: true })
    copyFileSync(from, join(root, to))
  }
  for (const program of PROGRAMS) {
    const path = Bun.which(program) ?? `/bin/${program}`
    install(path, `/bin/${program}`)
    for (const [library] of run(['ldd', path]).matchAll(/\/\S+\.so\S*/g)) install(library, library)
  }
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/debian_version'), 'small\n')
  run([
    'tar',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=a+rX',
    '-C',
    root,
    '-cf',
    `${root}.tar`,
    '.',
  ])
  rmSync(root, { recursive: true })
  return `${root}.tar`
}
