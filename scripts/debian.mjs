/** Debian packages of the programs that whole-program tests compare coop with or use to drive it. */
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './bun.mjs'

/** Maps a command, or a file by its whole path, to the package that has it. */
const PACKAGES = {
  newuidmap: 'uidmap',
  bwrap: 'bubblewrap',
  runc: 'runc',
  tmux: 'tmux',
  zsh: 'zsh',
  fish: 'fish',
  dtach: 'dtach',
  mmdebstrap: 'mmdebstrap',
  git: 'git',
  strace: 'strace',
  zstd: 'zstd',
  busybox: 'busybox-static',
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  umoci: 'umoci',
  openssl: 'openssl',
  shellcheck: 'shellcheck',
  dash: 'dash',
  curl: 'curl',
  wget: 'wget',
  man: 'man-db',
  'mkfs.btrfs': 'btrfs-progs',
  'qemu-aarch64-static': 'qemu-user-static',
  '/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1': 'libc6-arm64-cross',
  groff: 'groff-base',
  mandoc: 'mandoc',
  setfacl: 'acl',
  chromium: 'chromium',
  '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf': 'fonts-dejavu-core',
}

/**
 * Returns whether a command is there, also one of the folders for root.
 *
 * @param {string} command
 */
export function isInstalled(command) {
  if (command.startsWith('/')) return existsSync(command)
  // An ordinary user's PATH lacks sbin, where runc is.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const missingPackages = () =>
  Object.entries(PACKAGES)
    .filter(([command]) => !isInstalled(command))
    .map(([, name]) => name)

/**
 * Installs missing packages where possible (root, apt-get); otherwise prints how to install them. Never fails: a test
 * that needs a missing program is skipped and listed.
 */
export function ensurePackages() {
  const missing = missingPackages()
  if (missing.length === 0) return
  const list = missing.join(' ')
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    process.stdout.write(`Tests that need ${list} are skipped. To run them: sudo apt-get install ${list}\n`)
    return
  }
  process.stdout.write(`Installing ${list} ...\n`)
  const options = {
    capture: true,
    allowFailure: true,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }
  const update = run('apt-get', ['update', '-qq'], options)
  const install = run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], options)
  if (install.code === 0) return
  const why = `${update.code === 0 ? '' : update.stderr}${install.stderr}`.trimEnd()
  process.stdout.write(`${why}\nTests that need ${missingPackages().join(' ')} are skipped.\n`)
}
