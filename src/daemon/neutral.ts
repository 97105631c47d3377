/**
 * Frees the daemon from what it inherited from the client that happened to start it: limits, priorities, processors.
 * The zygote is forked afterwards, and each process of a box gets the values of its own caller. The kernel lets an
 * ordinary user raise neither a hard limit nor a priority; then the next client that has more starts another daemon.
 */
import { readdirSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { RLIM_INFINITY } from '../../ffi/abi/structs.ts'
import { limitOf, makeUsual, setLimit } from '../../ffi/inherited.ts'

/** Limits without a value of the system's own: without a limit unless somebody sets one. */
const FREE = [
  k.RLIMIT_CPU,
  k.RLIMIT_FSIZE,
  k.RLIMIT_DATA,
  k.RLIMIT_RSS,
  k.RLIMIT_AS,
  k.RLIMIT_LOCKS,
  k.RLIMIT_RTTIME,
]
/** Limits whose soft value would be the first caller's. */
const SYSTEMS = [k.RLIMIT_NPROC, k.RLIMIT_MEMLOCK, k.RLIMIT_SIGPENDING, k.RLIMIT_MSGQUEUE]
const STACK = 8n << 20n // bytes; the kernel's own default (_STK_LIM). More would change where programs are mapped.

export function becomeNeutral(): void {
  for (const resource of FREE) {
    const [, hard] = limitOf(0, resource) ?? []
    if (hard === undefined) continue
    if (!setLimit(resource, RLIM_INFINITY, RLIM_INFINITY)) setLimit(resource, hard, hard)
  }
  for (const resource of SYSTEMS) {
    const [, hard] = limitOf(0, resource) ?? []
    if (hard !== undefined) setLimit(resource, hard, hard)
  }
  const [, stack] = limitOf(0, k.RLIMIT_STACK) ?? []
  if (stack !== undefined && !setLimit(k.RLIMIT_STACK, STACK, RLIM_INFINITY))
    setLimit(k.RLIMIT_STACK, stack < STACK ? stack : STACK, stack)
  // Linux keeps priorities and processors per thread; the engine has started some by now.
  for (const thread of readdirSync('/proc/self/task')) makeUsual(Number(thread))
}
