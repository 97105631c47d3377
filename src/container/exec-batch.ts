/** Starts one process in a box: the batch that opens its terminal, forks, confines the child and execs. */

import * as k from '../../ffi/abi/constants.ts'
import { abi } from '../../ffi/abi/index.ts'
import { winsize } from '../../ffi/abi/structs.ts'
import { Batch, type Ref } from '../../ffi/batch.ts'
import type { WindowSize } from '../core/window-size.ts'
import { OPEN_TERMINAL } from '../host/kernel-limits.ts'
import { type Caller, withinCaller } from '../sandbox/caller.ts'
import { boundingDrops, CAPABILITIES, capsetStruct } from '../sandbox/capabilities.ts'
import { environmentList } from '../sandbox/environment.ts'
import type { Confinement, Limits } from '../sandbox/plan.ts'
import { seccompProgram } from '../sandbox/seccomp/seccomp.ts'
import { handDown } from './hand-down.ts'

export type Stdio =
  /** A new terminal. Init keeps its master and sends a copy back; it also keeps a copy of `pipe` (ring.ts). */
  | { readonly kind: 'terminal'; readonly size: WindowSize; readonly pipe: number; readonly isJob?: boolean }
  /** A terminal that is already open: the number of its slave in init. */
  | { readonly kind: 'same-terminal'; readonly slave: number }
  /** The daemon's descriptors for 0, 1 and 2; undefined means /dev/null. */
  | { readonly kind: 'descriptors'; readonly fds: readonly (number | undefined)[] }

export interface ProcessSpec {
  readonly command: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  readonly stdio: Stdio
  readonly confinement: Confinement
  readonly limits: Limits
  readonly lastCapability: number
  /** Who asked for the process; without one it gets neutral values. */
  readonly caller?: Caller | undefined
}

const programs = new Map<string, Uint8Array>()

function filter({ nested, ptrace, setuidFiles }: Confinement): Uint8Array {
  const key = `${nested} ${ptrace} ${setuidFiles}`
  const program = programs.get(key) ?? seccompProgram({ arch: abi.arch, nested, ptrace, setuidFiles })
  programs.set(key, program)
  return program
}

/** The paths to try for a command (environ(7), PATH); a name with a slash is used unchanged. */
export function candidates(command: string, path: string): string[] {
  if (command.includes('/')) return [command]
  return path
    .split(':')
    .filter((dir) => dir.startsWith('/'))
    .map((dir) => `${dir}/${command}`)
}

function openTerminal(batch: Batch, size: WindowSize, pipe: number): Ref {
  const slaveFlags = k.O_RDWR | k.O_NOCTTY | k.O_CLOEXEC
  const how = new BigUint64Array([
    BigInt(k.O_RDWR | k.O_NOCTTY | k.O_CLOEXEC),
    0n,
    BigInt(k.RESOLVE_NO_SYMLINKS),
  ])
  const what = OPEN_TERMINAL
  const master = batch.call('openat2', [k.AT_FDCWD, '/dev/pts/ptmx', new Uint8Array(how.buffer), 24], {
    send: true,
    what,
  })
  batch.call('ioctl', [master, k.TIOCSPTLCK, new Uint8Array(4)], { what })
  batch.call('ioctl', [master, k.TIOCSWINSZ, winsize(size)], { what })
  // Init keeps the slave open, so that the master reports no hang-up between two runs of the agent.
  const slave = batch.call('ioctl', [master, k.TIOCGPTPEER, slaveFlags], { what })
  batch.call('fcntl', [batch.fd(pipe), k.F_DUPFD_CLOEXEC, 3], { what })
  return slave
}

/**
 * The usual soft limit of open files. Programs that can use more raise it themselves (Go, Java, Node, Bun, nginx). With
 * a high one select(2) overruns its 1,024 bits, and programs that close every possible descriptor take seconds.
 */
const SOFT_OPEN_FILES = 1024

function rlimit(batch: Batch, resource: number, hard: number, soft = hard): void {
  const value = new Uint8Array(new BigUint64Array([BigInt(Math.min(soft, hard)), BigInt(hard)]).buffer)
  batch.call('prlimit64', [0, resource, value, 0])
}

/** The child's part: everything that must be in force before the program's first instruction. */
function confine(batch: Batch, spec: ProcessSpec): void {
  rlimit(batch, k.RLIMIT_NPROC, withinCaller(spec.limits.pids, 'Max processes', spec.caller))
  rlimit(
    batch,
    k.RLIMIT_NOFILE,
    withinCaller(spec.limits.openFiles, 'Max open files', spec.caller),
    SOFT_OPEN_FILES,
  )
  rlimit(batch, k.RLIMIT_CORE, 0) // a core dump could leak secrets into the workspace or to the host's core_pattern
  handDown(batch, spec.caller)
  batch.call('prctl', [k.PR_CAP_AMBIENT, k.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0])
  const drops = boundingDrops(spec.lastCapability)
  if (!spec.confinement.setuidFiles) drops.push(CAPABILITIES.SETFCAP)
  for (const capability of drops)
    batch.call('prctl', [k.PR_CAPBSET_DROP, capability, 0, 0, 0], { what: 'drop a capability' })
  const { header, data } = capsetStruct()
  batch.call('capset', [header, data], { what: 'drop capabilities' })
  batch.call('prctl', [k.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], { what: 'no new privileges' })
  batch.call('chdir', [spec.cwd], { what: spec.cwd })
}

function install(batch: Batch, program: Uint8Array): void {
  const code = batch.data(program)
  const prog = batch.data(new Uint8Array(new Uint16Array([program.length / 8, 0, 0, 0, 0, 0, 0, 0]).buffer)) // sock_fprog
  batch.pointer(prog, 8, code)
  batch.call('rt_sigprocmask', [k.SIG_SETMASK, new Uint8Array(8), 0, 8])
  batch.call('seccomp', [k.SECCOMP_SET_MODE_FILTER, 0, prog], { what: 'install the seccomp filter' })
}

const TAKE = 'take the terminal'

/**
 * Forks a job that can be suspended. The kernel lets a process group stop only when a process of the same session, but
 * of another group, could continue it (setpgid(2), "orphaned process group"). That is init, which leads a session and
 * can have one terminal. The child is still in the background when it takes the foreground, which is allowed because
 * init has all signals blocked, SIGTTOU too.
 */
function forkJob(batch: Batch, terminal: Ref | number): void {
  batch.call('ioctl', [terminal, k.TIOCSCTTY, 0], { what: TAKE })
  const pid = batch.space(8)
  batch.fork(k.SIGCHLD | k.CLONE_CHILD_SETTID, pid)
  batch.call('setpgid', [0, 0])
  batch.call('ioctl', [terminal, k.TIOCSPGRP, pid], { what: TAKE })
}

/** Positions in the results of a batch that opens a terminal: descriptor numbers in init. */
export const MASTER_RESULT = 0
export const SLAVE_RESULT = 3
export const PIPE_RESULT = 4

/** The batch. Its last result is the pid inside the box. */
export function processBatch(spec: ProcessSpec): Batch {
  const batch = new Batch()
  const { stdio } = spec
  const terminal =
    stdio.kind === 'terminal'
      ? openTerminal(batch, stdio.size, stdio.pipe)
      : stdio.kind === 'same-terminal'
        ? stdio.slave
        : undefined
  const fds =
    stdio.kind === 'descriptors' ? stdio.fds.map((fd) => (fd === undefined ? undefined : batch.fd(fd))) : []
  if (terminal !== undefined && stdio.kind === 'terminal' && stdio.isJob) forkJob(batch, terminal)
  else {
    batch.fork(k.SIGCHLD)
    batch.call('setsid', [])
    if (terminal !== undefined) batch.call('ioctl', [terminal, k.TIOCSCTTY, 0], { what: TAKE })
  }
  for (const target of [0, 1, 2]) {
    const from =
      terminal ?? fds[target] ?? batch.call('openat', [k.AT_FDCWD, '/dev/null', k.O_RDWR | k.O_CLOEXEC])
    batch.call('dup3', [from, target, 0])
  }
  batch.call('close_range', [3, 0xffff_ffff, k.CLOSE_RANGE_CLOEXEC])
  confine(batch, spec)
  const argv = batch.strings(spec.command)
  const envp = batch.strings(environmentList(spec.environment))
  const name = spec.command[0] ?? ''
  const places = candidates(name, spec.environment.PATH ?? '')
  if (!places.length) places.push(name) // the kernel then reports that there is no such file
  const paths = places.map((place) => batch.string(place))
  install(batch, filter(spec.confinement))
  paths.forEach((path, index) => {
    batch.call('execve', [path, argv, envp], { mayFail: index < paths.length - 1, what: name })
  })
  return batch
}

/** Turns a status of wait(2) into a shell's exit code: 128+n for a signal. */
export function exitCodeOf(status: number): number {
  const signal = status & 0x7f
  return signal ? 128 + signal : (status >> 8) & 0xff
}
