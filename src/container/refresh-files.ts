/**
 * Brings coop's own files in the /etc of a running box up to date. A file that the box has changed is the box's own and
 * stays. Init does this as root of the box and resolves every name inside; it opens nothing that can block it.
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { openHow } from '../../ffi/abi/structs.ts'
import { Batch, type Ref } from '../../ffi/batch.ts'
import type { Plan } from '../sandbox/plan.ts'
import { fileBytes } from './own-files.ts'

/** What coop has given a box under one name. */
export interface Given {
  readonly link: boolean
  readonly value: string
}

type EtcFiles = Pick<Plan, 'etc' | 'etcLinks'>

const BELOW = k.RESOLVE_BENEATH | k.RESOLVE_NO_SYMLINKS

/** Returns coop's file or link of that name; undefined if there is none. */
export function given({ etc, etcLinks }: EtcFiles, name: string): Given | undefined {
  const link = etcLinks?.[name]
  if (link !== undefined) return { link: true, value: link }
  const value = etc[name]
  return value === undefined ? undefined : { link: false, value }
}

/**
 * Replaces `old` by `now` at once, by renaming. Fails with ESTALE, or with the error of a call, if the box has something
 * else there; the box is then unchanged.
 */
export function refreshBatch(name: string, old: Given, now: Given): Batch {
  const batch = new Batch()
  const open = (dir: Ref | number, path: string, flags: number, resolve: number): Ref => {
    const mode = flags & k.O_CREAT ? 0o644 : 0
    const how = openHow({ flags: flags | k.O_CLOEXEC, mode, resolve })
    return batch.call('openat2', [dir, path, how, 24], { scoped: true })
  }
  const inBox = k.RESOLVE_IN_ROOT | k.RESOLVE_NO_MAGICLINKS
  const etc = open(k.AT_FDCWD, '/etc', k.O_PATH | abi.O_DIRECTORY, inBox | k.RESOLVE_NO_SYMLINKS)
  // A link to a zone is worth something only where the zone is.
  if (now.link) open(k.AT_FDCWD, now.value, k.O_PATH, inBox)
  const expected = old.link ? Buffer.from(old.value) : fileBytes(name, old.value)
  const found = batch.space(expected.length + 1)
  if (old.link) batch.call('readlinkat', [etc, name, found, expected.length + 1])
  else {
    const flags = k.O_RDONLY | k.O_NONBLOCK | k.O_NOCTTY | abi.O_NOFOLLOW
    batch.call('read', [open(etc, name, flags, BELOW), found, expected.length + 1])
  }
  batch.equal(batch.data(Buffer.concat([expected, Buffer.alloc(1)])), found)
  const fresh = `.coop-${name}`
  batch.call('unlinkat', [etc, fresh, 0], { mayFail: true })
  if (now.link) batch.call('symlinkat', [now.value, etc, fresh])
  else {
    const bytes = fileBytes(name, now.value)
    const file = open(etc, fresh, k.O_WRONLY | k.O_CREAT | k.O_EXCL | abi.O_NOFOLLOW, BELOW)
    batch.call('write', [file, bytes, bytes.length])
    // ENXIO means that a full disk took only a part.
    if (bytes.length) batch.call('lseek', [file, bytes.length - 1, k.SEEK_DATA])
  }
  batch.call('renameat2', [etc, fresh, etc, name, 0])
  return batch
}
