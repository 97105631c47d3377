/**
 * Which process of a box holds a socket. The box's init looks through the descriptors of the box's processes: it may
 * read those of each of the box's ids, which an ordinary user's daemon may not, and it sees no process outside of its
 * pid namespace. All names are numbers below a descriptor of the box's proc file system.
 */
import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { openHow } from '../../ffi/abi/structs.ts'
import { Batch, type Ref } from '../../ffi/batch.ts'
import type { BatchReply } from '../../ffi/channel.ts'

const MAX_PROCESSES = 2_000 // of a box; those with the highest pids, as servers are mostly younger than agents
const MAX_DESCRIPTORS = 20_000 // of a box in one search
const PROCESSES_PER_BATCH = 16
const LINKS_PER_BATCH = 400 // some 4 ms of the event loop
const LISTING = 8 << 10 // bytes for the names of one process's descriptors: 340 of them
const LONG_LISTING = 64 << 10 // where those do not suffice: 2,700
const MAX_NAME = 32 // bytes of one name; a listing with less room is full
const LINK = 32 // bytes; "socket:[4294967295]" has 19, and the text of anything longer does not matter
const NAME = 16 // bytes of a process's name (TASK_COMM_LEN)
const PROC_SUPER_MAGIC = 0x9fa0n // statfs(2)

/** Runs a batch in the box's init. */
export type Run = (batch: Batch) => Promise<BatchReply>

/** A descriptor of a process of the box that is the socket; the pid is that in the box. */
export interface Holder {
  readonly pid: number
  readonly fd: number
}

/** Opens the box's proc file system; the batch fails if anything else is there. */
function openProc(batch: Batch): Ref {
  const how = openHow({
    flags: k.O_RDONLY | abi.O_DIRECTORY | k.O_CLOEXEC,
    resolve: k.RESOLVE_NO_SYMLINKS | k.RESOLVE_NO_MAGICLINKS,
  })
  const proc = batch.call('openat2', [k.AT_FDCWD, '/proc', how, how.length], { scoped: true })
  const facts = batch.space(120) // struct statfs begins with the type
  batch.call('fstatfs', [proc, facts])
  batch.equal(facts, batch.data(new Uint8Array(new BigUint64Array([PROC_SUPER_MAGIC]).buffer)))
  return proc
}

/** Those of these holders, by socket, whose descriptor still is the socket. */
export async function stillHeld(
  run: Run,
  holders: ReadonlyMap<number, Holder>,
): Promise<Map<number, Holder>> {
  const all = [...holders]
  const held = new Map<number, Holder>()
  for (let from = 0; from < all.length; from += LINKS_PER_BATCH) {
    const some = all.slice(from, from + LINKS_PER_BATCH)
    const sockets = await socketsOf(
      run,
      some.map(([, holder]) => holder),
    )
    some.forEach(([inode, holder], i) => {
      if (sockets[i] === inode) held.set(inode, holder)
    })
  }
  return held
}

/** Finds holders of these sockets; a socket that no process of the box holds is not in the result. */
export async function findHolders(run: Run, inodes: ReadonlySet<number>): Promise<Map<number, Holder>> {
  const found = new Map<number, Holder>()
  let left = MAX_DESCRIPTORS
  const pids = await processes(run)
  for (let at = 0; at < pids.length && left > 0 && found.size < inodes.size; at += PROCESSES_PER_BATCH) {
    const held = (await descriptors(run, pids.slice(at, at + PROCESSES_PER_BATCH))).slice(0, left)
    left -= held.length
    for (let from = 0; from < held.length; from += LINKS_PER_BATCH) {
      const some = held.slice(from, from + LINKS_PER_BATCH)
      const sockets = await socketsOf(run, some)
      some.forEach((holder, i) => {
        const inode = sockets[i]
        if (inode !== undefined && inodes.has(inode) && !found.has(inode)) found.set(inode, holder)
      })
    }
  }
  return found
}

/** The box's processes, without init: its own descriptors are coop's. */
async function processes(run: Run): Promise<number[]> {
  const batch = new Batch()
  const proc = openProc(batch)
  const size = LONG_LISTING
  const names = batch.space(size)
  batch.call('getdents64', [proc, names, size])
  batch.output(names)
  const { results, output } = await run(batch)
  const pids = numbersIn(output.subarray(0, results.at(-1) ?? 0))
  return pids
    .filter((pid) => pid > 1)
    .sort((one, other) => other - one)
    .slice(0, MAX_PROCESSES)
}

async function descriptors(run: Run, pids: readonly number[], size = LISTING): Promise<Holder[]> {
  const batch = new Batch()
  const proc = openProc(batch)
  const names = batch.space(size * pids.length)
  const first = batch.ops.length
  pids.forEach((pid, i) => {
    const flags = k.O_RDONLY | abi.O_DIRECTORY | k.O_CLOEXEC
    const folder = batch.call('openat', [proc, `${pid}/fd`, flags, 0], { scoped: true, mayFail: true })
    batch.call('getdents64', [folder, names.at(size * i), size], { mayFail: true })
  })
  batch.output(names)
  const { results, output } = await run(batch)
  const found: Holder[] = []
  const full: number[] = []
  pids.forEach((pid, i) => {
    const length = Math.max(0, results[first + 2 * i + 1] ?? 0)
    if (size === LISTING && length > size - MAX_NAME) full.push(pid)
    else for (const fd of numbersIn(output.subarray(size * i, size * i + length))) found.push({ pid, fd })
  })
  for (const pid of full) found.push(...(await descriptors(run, [pid], LONG_LISTING)))
  return found
}

/** For each descriptor the inode of its socket; undefined if it is something else. */
async function socketsOf(run: Run, held: readonly Holder[]): Promise<(number | undefined)[]> {
  const batch = new Batch()
  const proc = openProc(batch)
  const texts = batch.space(LINK * held.length)
  const first = batch.ops.length
  held.forEach(({ pid, fd }, i) => {
    batch.call('readlinkat', [proc, `${pid}/fd/${fd}`, texts.at(LINK * i), LINK], { mayFail: true })
  })
  batch.output(texts)
  const { results, output } = await run(batch)
  return held.map((_, i) => inodeIn(output.subarray(LINK * i, LINK * (i + 1)), results[first + i] ?? -1))
}

/** The names of these processes, as the box chose them. */
export async function namesOf(run: Run, pids: readonly number[]): Promise<Map<number, string>> {
  if (!pids.length) return new Map()
  const batch = new Batch()
  const proc = openProc(batch)
  const texts = batch.space(NAME * pids.length)
  const first = batch.ops.length
  pids.forEach((pid, i) => {
    const file = batch.call('openat', [proc, `${pid}/comm`, k.O_RDONLY | k.O_CLOEXEC, 0], {
      scoped: true,
      mayFail: true,
    })
    batch.call('read', [file, texts.at(NAME * i), NAME], { mayFail: true })
  })
  batch.output(texts)
  const { results, output } = await run(batch)
  const names = new Map<number, string>()
  pids.forEach((pid, i) => {
    const length = results[first + 2 * i + 1] ?? -1
    const text = output.toString('utf8', NAME * i, NAME * i + Math.max(0, length))
    const plain = text.replace(/[^\P{C}]/gu, '').trim()
    if (plain) names.set(pid, plain)
  })
  return names
}

/** Names that are numbers in what getdents64(2) wrote. */
export function numbersIn(entries: Buffer): number[] {
  const numbers: number[] = []
  for (let at = 0; at + 19 < entries.length; ) {
    const size = entries.readUInt16LE(at + 16)
    if (size < 20 || at + size > entries.length) break
    const end = entries.indexOf(0, at + 19)
    const name = entries.toString('latin1', at + 19, end)
    if (/^\d+$/.test(name)) numbers.push(Number(name))
    at += size
  }
  return numbers
}

/** The inode in the text of a link to a socket. Links to files begin with a slash, whatever a box calls them. */
function inodeIn(text: Buffer, length: number): number | undefined {
  const [, inode] = /^socket:\[(\d+)\]$/.exec(text.toString('latin1', 0, Math.max(0, length))) ?? []
  return inode === undefined ? undefined : Number(inode)
}
