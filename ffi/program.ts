/**
 * Letting go of our own executable. Until a process execs, its /proc/self/exe is its parent's. Used as a command,
 * behind a link or in a `#!` line, it would run coop inside a box (CVE-2019-5736). The zygote unmaps the program, which
 * its loop does not need; each init then replaces its exe by an empty file in memory.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { Batch } from './batch.ts'

const PR_SET_MM = 35
const PR_SET_MM_MAP = 14
const MAP_SIZE = 104 // struct prctl_mm_map (linux/prctl.h)
const EXE_FD_AT = 100
const FIELDS = 11
const MFD_CLOEXEC = 1
const FILE = 7 // the first descriptor that native.c does not use itself

/** For the zygote, before it clones. It was forked from this process, so its mappings have the same addresses. */
export function unmapProgram(): Batch {
  const program = readlinkSync('/proc/self/exe')
  const batch = new Batch()
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+ +(.*)$/.exec(line) ?? []
    if (from === undefined || to === undefined || path !== program) continue
    const start = Number.parseInt(from, 16)
    batch.call('munmap', [start, Number.parseInt(to, 16) - start])
  }
  return batch
}

/** For an init whose descriptors are all below `FILE`: the struct needs the new one's number in advance. */
export function takeEmptyProgram(batch: Batch): void {
  batch.call('memfd_create', ['coop-init', MFD_CLOEXEC], { what: 'make an empty program' })
}

/** After `takeEmptyProgram`, with the final ids: needs CAP_CHECKPOINT_RESTORE in its own user namespace (prctl(2)). */
export function forgetProgram(batch: Batch): void {
  const what = 'let go of the program (the kernel needs CONFIG_CHECKPOINT_RESTORE)'
  const map = new DataView(new ArrayBuffer(MAP_SIZE))
  // Addresses of code, data, heap, stack and arguments. The kernel checks only their order; nothing is mapped there.
  for (let at = 0; at < FIELDS; at++) map.setBigUint64(at * 8, BigInt(0x10000 * (1 + at)), true)
  map.setUint32(EXE_FD_AT, FILE, true)
  batch.call('prctl', [PR_SET_MM, PR_SET_MM_MAP, new Uint8Array(map.buffer), MAP_SIZE, 0], { what })
  batch.call('close', [FILE])
}
