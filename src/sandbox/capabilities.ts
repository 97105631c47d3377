/** Capabilities (capabilities(7)): the ones that root in a box keeps, and the reasons. */
import { capData, capHeader } from '../../ffi/abi/structs.ts'

/** Numbers of linux/capability.h, without the `CAP_`. */
export const CAPABILITIES = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  FSETID: 4,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  LINUX_IMMUTABLE: 9,
  NET_BIND_SERVICE: 10,
  NET_BROADCAST: 11,
  NET_ADMIN: 12,
  NET_RAW: 13,
  IPC_LOCK: 14,
  IPC_OWNER: 15,
  SYS_MODULE: 16,
  SYS_RAWIO: 17,
  SYS_CHROOT: 18,
  SYS_PTRACE: 19,
  SYS_PACCT: 20,
  SYS_ADMIN: 21,
  SYS_BOOT: 22,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
  SYS_TIME: 25,
  SYS_TTY_CONFIG: 26,
  MKNOD: 27,
  LEASE: 28,
  AUDIT_WRITE: 29,
  AUDIT_CONTROL: 30,
  SETFCAP: 31,
  MAC_OVERRIDE: 32,
  MAC_ADMIN: 33,
  SYSLOG: 34,
  WAKE_ALARM: 35,
  BLOCK_SUSPEND: 36,
  AUDIT_READ: 37,
  PERFMON: 38,
  BPF: 39,
  CHECKPOINT_RESTORE: 40,
} as const

export type Capability = keyof typeof CAPABILITIES

/** Capabilities that root needs for development. Each one covers only the box's own ids and namespaces. */
export const KEPT: Readonly<Partial<Record<Capability, string>>> = {
  CHOWN: 'package managers and tar give files to other users',
  DAC_OVERRIDE: 'root writes where the mode says no, as every install script assumes',
  FOWNER: 'chmod, utimes and rename in sticky folders on files of other users',
  FSETID: 'setgid bits survive chmod and write, as dpkg expects',
  KILL: 'root ends daemons that it started as another user',
  SETGID: 'apt, su and databases change their groups',
  SETUID: 'apt, su and databases change their user',
  SETPCAP: 'programs that lower their own bounding set',
  SETFCAP: 'dpkg and setcap write file capabilities, which no-new-privs makes ineffective',
  NET_BIND_SERVICE: 'development servers on ports below 1024',
  SYS_CHROOT: 'debootstrap, sshd and build tools; it leads to nothing outside the pivoted root',
}

/** Dropped capabilities that programs miss most, each with its reason. Nobody in a box has asked for the rest. */
export const DROPPED: Readonly<Partial<Record<Capability, string>>> = {
  DAC_READ_SEARCH:
    'DAC_OVERRIDE reads already; this one opens files by handle, past every mount (CVE-2014-3519)',
  SYS_ADMIN: 'mounts, namespaces, and most of what ever broke a container',
  SYS_PTRACE: 'debugging the same user needs none; it opens other users and their /proc/PID',
  MKNOD: 'refused by the kernel in a user namespace; a box already has its devices',
  NET_RAW: 'forged packets on the shared network (CVE-2020-14386); ping has its own kind of socket',
  NET_ADMIN: 'nf_tables, tc and interfaces: the kernel code with the most escapes of all',
  AUDIT_WRITE: 'writes into the audit log of the host',
}

/** Names of the kept capabilities, as in a plan. */
export const KEPT_CAPABILITIES: readonly string[] = Object.keys(KEPT)

const keptNumbers: ReadonlySet<number> = new Set(
  Object.entries(CAPABILITIES).flatMap(([name, nr]) => (name in KEPT ? [nr] : [])),
)

/** The kept capabilities as the 64-bit mask of /proc/PID/status: bit n is capability n. */
export const KEPT_MASK: bigint = [...keptNumbers].reduce((mask, nr) => mask | (1n << BigInt(nr)), 0n)

/**
 * Capabilities to drop from the bounding set with PR_CAPBSET_DROP, up to the last one that the kernel knows
 * (/proc/sys/kernel/cap_last_cap), including those newer than this table.
 */
export function boundingDrops(lastCap: number): number[] {
  return Array.from({ length: lastCap + 1 }, (_, nr) => nr).filter((nr) => !keptNumbers.has(nr))
}

/**
 * The two structs of capset(2). Nothing is inheritable: in CVE-2022-29162 a container manager let inheritable
 * capabilities through, and file capabilities gave them back to unprivileged users.
 */
export function capsetStruct(): { header: Uint8Array; data: Uint8Array } {
  return {
    header: capHeader(),
    data: capData({ effective: KEPT_MASK, permitted: KEPT_MASK, inheritable: 0n }),
  }
}
