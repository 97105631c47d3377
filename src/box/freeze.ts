/**
 * Stopping every process of a box for a moment, and letting it go on, so that nobody notices. By signals of its init:
 * where coop has no cgroup, there is no other way.
 *
 * A shell waits for its jobs to stop, and then takes their terminal away. So parents are stopped before their children
 * and go on after them: none ever sees a child that is stopped.
 */
import { readFileSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { Batch } from '../../ffi/batch.ts'
import { startTimeOf } from '../container/clone.ts'
import { CoopError } from '../core/errors.ts'
import { childrenOf } from '../host/memory.ts'
import { statesOf } from '../host/thread-states.ts'
import type { FrozenRecord } from '../store/manifest.ts'
import type { Box } from './box.ts'

const POLL_MS = 1
const FREEZE_MS = 10_000 // a process stops when it leaves the kernel: a sync of a slow disk may take seconds
const WAIT_MS = 1_000 // after that a process that waits in the kernel counts as stopped: it does when it comes back
const PER_BATCH = 1000
const STOPPED = 'TtZX' // stopped, traced, and what is dead
const ROUNDS = 64 // new processes that their parents made meanwhile

/** Children before theirs: processes below init by how deep they are. */
function levels(init: number): number[][] {
  const found: number[][] = []
  for (let level = childrenOf(init); level.length; level = level.flatMap(childrenOf)) found.push(level)
  return found
}

/** The process's number in the box: the second one, since the first one is ours (proc_pid_status(5), NSpid). */
export function numberInside(status: string): number | undefined {
  const numbers = /^NSpid:\s*([\d\s]*)$/m.exec(status)?.[1]?.trim().split(/\s+/)
  const inside = Number(numbers?.[1])
  return Number.isInteger(inside) && inside > 1 ? inside : undefined
}

async function signal(box: Box, pids: readonly number[], what: number): Promise<void> {
  const inside = pids.flatMap((pid) => {
    try {
      return numberInside(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    } catch {
      return [] // ended meanwhile
    }
  })
  for (let at = 0; at < inside.length; at += PER_BATCH) {
    const batch = new Batch()
    for (const pid of inside.slice(at, at + PER_BATCH)) batch.call('kill', [pid, what], { mayFail: true })
    await box.processes.run(batch)
  }
}

async function untilStopped(pids: readonly number[]): Promise<void> {
  const began = Date.now()
  let left = pids
  for (;;) {
    const waited = Date.now() - began
    const enough = waited < WAIT_MS ? STOPPED : `${STOPPED}D`
    left = left.filter((pid) => [...statesOf(pid)].some((state) => !enough.includes(state)))
    if (!left.length) return
    if (waited > FREEZE_MS)
      throw new CoopError('E_FAILED', `process ${left[0]} of the box does not stop`, {
        hint: 'try again when it is less busy, or stop the box first: coop stop',
      })
    await Bun.sleep(POLL_MS)
  }
}

/** Stop every process of a running box. When this rejects, `thaw` is due all the same. */
export async function freeze(box: Box): Promise<void> {
  const { init } = box.manifest
  if (!init) return
  const frozen = levels(init.pid)
    .flat()
    .flatMap((pid): FrozenRecord[] => {
      const startTime = statesOf(pid).startsWith('T') ? startTimeOf(pid) : undefined
      return startTime === undefined ? [] : [{ pid, startTime }]
    })
  box.update({ frozen }) // before the first one: whoever dies now leaves a box that must be let go on
  const told = new Set(frozen.map(({ pid }) => pid))
  for (let round = 0; round < ROUNDS; round++) {
    const level = levels(init.pid)
      .map((pids) => pids.filter((pid) => !told.has(pid)))
      .find((pids) => pids.length)
    if (!level) return
    await signal(box, level, k.SIGSTOP)
    await untilStopped(level)
    for (const pid of level) told.add(pid)
  }
  // Nobody can hide from this one, however quick it is at making others.
  const batch = new Batch()
  batch.call('kill', [-1, k.SIGSTOP], { mayFail: true })
  await box.processes.run(batch)
  await untilStopped(levels(init.pid).flat())
}

/** Let everything go on that was not stopped before. Does nothing to a box that is not frozen. */
export async function thaw(box: Box): Promise<void> {
  const { init, frozen } = box.manifest
  if (!frozen) return
  if (init && box.running) {
    const before = new Map(frozen.map(({ pid, startTime }) => [pid, startTime]))
    const isDue = (pid: number): boolean =>
      before.get(pid) === undefined || before.get(pid) !== startTimeOf(pid)
    for (const level of levels(init.pid).toReversed()) await signal(box, level.filter(isDue), k.SIGCONT)
  }
  box.update({ frozen: undefined })
}
