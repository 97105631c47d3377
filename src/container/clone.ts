/** The first moments of a box: the zygote clones its init, which gets its id maps and a connection to the daemon. */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { cloneArgs } from '../../ffi/abi/structs.ts'
import { Batch, BatchError } from '../../ffi/batch.ts'
import { Channel, type ChannelEvents } from '../../ffi/channel.ts'
import { socketPair } from '../../ffi/descriptors.ts'
import { takeEmptyProgram } from '../../ffi/program.ts'
import { closeDescriptor } from '../../ffi/pty.ts'
import { CoopError } from '../core/errors.ts'
import { startTimeOf } from '../host/boot.ts'
import type { HostFacts } from '../host/facts.ts'
import { tightestNamespaces } from '../host/kernel-limits.ts'
import { MINIMUM_KERNEL } from '../host/minimum-kernel.ts'
import { type IdMapLine, type IdPlan, idMapText } from '../sandbox/ids.ts'
import type { NetworkMode } from '../sandbox/plan.ts'
import type { Cgroups } from './cgroup.ts'

const NAMESPACES = k.CLONE_NEWUSER | k.CLONE_NEWNS | k.CLONE_NEWPID | k.CLONE_NEWUTS | k.CLONE_NEWIPC
const CGROUP_FD = 200 // a free descriptor number in the zygote: the struct of clone3 needs it in advance

export interface Birth {
  readonly channel: Channel
  readonly init: { readonly pid: number; readonly startTime: string }
  /** The box's own cgroup, if it has one. */
  readonly cgroup: string | undefined
}

export interface BirthInput {
  readonly network: NetworkMode
  readonly zygote: Channel
  readonly events: ChannelEvents
  /** Makes a cgroup for the box, where possible. */
  readonly cgroups?: Cgroups
}

function cloneBatch(network: NetworkMode, ends: readonly number[], cgroup: number | undefined): Batch {
  const batch = new Batch()
  const fds = ends.map((fd) => batch.fd(fd))
  const flags = NAMESPACES | (network === 'none' ? k.CLONE_NEWNET : 0)
  if (cgroup === undefined) batch.fork(flags | k.SIGCHLD)
  else {
    batch.call('dup3', [batch.fd(cgroup), CGROUP_FD, k.O_CLOEXEC], { scoped: true })
    const args = { flags: flags + k.CLONE_INTO_CGROUP, exitSignal: k.SIGCHLD, cgroup: CGROUP_FD }
    batch.fork3(cloneArgs(args))
  }
  // Not by a flag of clone: the namespace's root would be the zygote's cgroup.
  batch.call('unshare', [k.CLONE_NEWCGROUP])
  // Init's descriptors have fixed numbers (native.c). All other descriptors of the zygote are closed.
  for (const [index, fd] of fds.entries()) batch.call('dup3', [fd, 3 + index, k.O_CLOEXEC])
  for (const later of [5, 6]) batch.call('dup3', [0, later, k.O_CLOEXEC]) // reserved for the listener and the signals
  batch.call('close_range', [7, 0xffff_ffff, 0])
  takeEmptyProgram(batch)
  batch.call('prctl', [k.PR_SET_NAME, 'coop-init', 0, 0, 0])
  batch.call('setsid', [])
  batch.serve()
  return batch
}

/** The message for a clone that the host refused. */
function cloneError(error: BatchError): CoopError {
  const { name, most } = tightestNamespaces()
  const hints: Record<string, string> = {
    ENOSPC: `end some boxes, or run sudo sysctl ${name}=${Math.max(15_000, 2 * most)}`,
    // user_namespaces(7): the kernel refuses them to everybody in a chroot, and nothing tells coop that it is in one.
    EPERM:
      'run sudo sysctl kernel.unprivileged_userns_clone=1; in a container, allow user namespaces; in a chroot there are none: enter it with systemd-nspawn instead',
    EAGAIN: 'end some processes, or raise their limit (ulimit -u)',
    EUSERS: 'start coop outside of other boxes: namespaces are nested too deeply here',
  }
  return new CoopError('E_ISOLATION', `this host does not let you make user namespaces (${error.message})`, {
    hint: hints[error.code] ?? `use Linux ${MINIMUM_KERNEL} or newer with unprivileged user namespaces`,
    cause: error,
  })
}

async function runIdTool(tool: string, pid: number, lines: readonly IdMapLine[]): Promise<void> {
  const numbers = lines.flatMap((line) => [line.inside, line.outside, line.count]).map(String)
  const child = Bun.spawn([tool, String(pid), ...numbers], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    env: {},
  })
  const code = await child.exited
  if (code === 0) return
  const said = (await new Response(child.stderr).text()).trim().slice(0, 500)
  throw new CoopError(
    'E_ISOLATION',
    `${tool} refused the id ranges of /etc/subuid and /etc/subgid: ${said}`,
    {
      hint: 'check that both files give your user the same range, and that newuidmap and newgidmap are setuid root',
    },
  )
}

/** The kernel accepts an id map only once and as one write. */
function writeMap(path: string, text: string): void {
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, text)
  } finally {
    closeSync(fd)
  }
}

/** Give a new init its ids; until then it cannot do anything. */
export async function writeIdMaps(pid: number, ids: IdPlan, host: HostFacts): Promise<void> {
  if (ids.kind === 'range' && host.newuidmap && host.newgidmap) {
    await Promise.all([runIdTool(host.newuidmap, pid, ids.uids), runIdTool(host.newgidmap, pid, ids.gids)])
    return
  }
  // Without privileges over groups, the kernel accepts a gid map only if setgroups(2) is given up first.
  if (ids.kind === 'single') writeFileSync(`/proc/${pid}/setgroups`, 'deny')
  writeMap(`/proc/${pid}/uid_map`, idMapText(ids.uids))
  writeMap(`/proc/${pid}/gid_map`, idMapText(ids.gids))
}

/** Clone an init that waits for its ids. It ends with this daemon until it starts to listen. */
export async function bear(input: BirthInput): Promise<Birth> {
  const { cgroups } = input
  const cgroup = cgroups?.make()
  if (!cgroups || cgroup === undefined) return bearInto(input, undefined)
  try {
    return await bearInto(input, cgroup)
  } catch (error) {
    // A container may forbid clone3. A cgroup whose children share memory or processors accepts no process itself.
    cgroups.refused(cgroup, error)
    return bearInto(input, undefined)
  }
}

async function bearInto({ network, zygote, events }: BirthInput, cgroup: string | undefined): Promise<Birth> {
  const folder = cgroup === undefined ? undefined : openSync(cgroup, k.O_PATH)
  const [connection, theirConnection] = socketPair(k.SOCK_STREAM)
  const [channel, theirChannel] = socketPair(k.SOCK_SEQPACKET)
  let pid: number
  try {
    const reply = await zygote.run(cloneBatch(network, [theirConnection, theirChannel], folder))
    pid = reply.results.at(-1) ?? -1
  } catch (error) {
    closeDescriptor(connection)
    closeDescriptor(channel)
    throw error instanceof BatchError ? cloneError(error) : error
  } finally {
    closeDescriptor(theirConnection)
    closeDescriptor(theirChannel)
    if (folder !== undefined) closeSync(folder)
  }
  const adopted = await Channel.adopt(connection, channel, events)
  const startTime = startTimeOf(pid)
  if (startTime === undefined) {
    adopted.close()
    throw new CoopError('E_FAILED', 'the init of the box ended at once')
  }
  return { channel: adopted, init: { pid, startTime }, cgroup }
}
