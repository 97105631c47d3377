/**
 * The box's /sys: a read-only tmpfs with a few folders of the kernel's, each mounted read-only in its usual place.
 * Beside those of the host it may have two of the box's own, its network interfaces and its cgroup. Programs can do
 * without these two, so they are left out where the kernel refuses them, together with the folder for them.
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import type { Ref } from '../../ffi/batch.ts'
import { type MountBatch, QUIET } from './mount-batch.ts'

/** The namespaces that init shares with nobody outside of the box. */
export interface OwnNamespaces {
  readonly network: boolean
  readonly cgroup: boolean
}

const READ_ONLY = QUIET | k.MOUNT_ATTR_RDONLY
/** The interfaces of a network namespace: links, and what they lead to. A new namespace has virtual ones only. */
const INTERFACES = ['devices/virtual/net', 'class/net'] as const

/** `shown`: detached mounts of folders of the host, by their path. */
export function sysTree(
  setup: MountBatch,
  shown: readonly { readonly path: string; readonly mount: Ref }[],
  own: OwnNamespaces,
): void {
  const { batch } = setup
  const root = setup.create('tmpfs', { mode: '0755', size: '64k' }, QUIET, 'mount /sys')
  setup.attach(root, setup.target('/sys', 'folder'), 'mount /sys')

  const made = new Set<string>()
  /** Makes a folder of the tmpfs and those on the way. Nobody else writes there, so its names can be trusted. */
  const folder = (path: string): Ref => {
    const parts = path.split('/')
    for (let count = 1; count <= parts.length; count++) {
      const name = parts.slice(0, count).join('/')
      if (!made.has(name)) batch.call('mkdirat', [root, name, 0o755], { what: `/sys/${name}` })
      made.add(name)
    }
    const resolve = k.RESOLVE_NO_SYMLINKS | k.RESOLVE_BENEATH
    return setup.open(root, path, k.O_PATH | abi.O_DIRECTORY, resolve, `/sys/${path}`)
  }
  for (const { path, mount } of shown) {
    setup.attributes(mount, READ_ONLY, true, path)
    setup.attach(mount, folder(path.slice('/sys/'.length)), path)
  }
  /** Attaches a mount that may be missing. A folder that stays empty goes again: it would be taken for an answer. */
  const optional = (path: string, mount: Ref, parent: string): void => {
    setup.attach(mount, folder(path), `/sys/${path}`, true)
    // The kernel keeps a folder on which something is mounted (EBUSY).
    for (const name of [path, parent]) batch.call('unlinkat', [root, name, k.AT_REMOVEDIR], { mayFail: true })
  }
  if (own.network) {
    const what = 'the network interfaces of the box'
    // The kernel allows it as long as init sees all of the host's /sys (mount_too_revealing), so not in a container
    // that covers a part. It clones a part of a mount only once the mount is attached (before Linux 6.15).
    const staged = setup.stage(setup.create('sysfs', {}, READ_ONLY, what, { mayFail: true }), true)
    const clone = k.OPEN_TREE_CLONE | k.OPEN_TREE_CLOEXEC
    for (const path of INTERFACES) {
      const from = `${staged}/${path}`
      const part = batch.call('open_tree', [k.AT_FDCWD, from, clone], { scoped: true, mayFail: true, what })
      optional(path, part, path.slice(0, path.lastIndexOf('/')))
    }
  }
  if (own.cgroup) {
    // Its root is that of init's cgroup namespace, so the box sees its own cgroup and nothing beside or above it. Its
    // flags are of this mount alone: the file system is the host's.
    const mount = setup.create('cgroup2', {}, READ_ONLY, 'the cgroup of the box', { mayFail: true })
    optional('fs/cgroup', mount, 'fs')
  }
  setup.attributes(root, READ_ONLY, false, 'read-only /sys')
}
