/**
 * Stops every process of a box for a moment and lets it continue, so that the box does not notice. Init sends signals,
 * which also works where coop has no cgroup.
 *
 * A shell that sees a job stop takes the terminal away from it. Parents are therefore stopped before their children and
 * continue after them: no process ever sees a stopped child.
 */
import { readFileSync } from 'node:fs'
import * as k from '../../ffi/abi/constants.ts'
import { Batch } from '../../ffi/batch.ts'
import { CoopError } from '../core/errors.ts'
import { startTimeOf } from '../host/boot.ts'
import { childrenOf } from '../host/memory.ts'
import { statesOf } from '../host/thread-states.ts'
import type { FrozenRecord } from '../store/manifest.ts'
import type { Box } from './box.ts'

const POLL_MS = 1
const FREEZE_MS = 10_000 // a process stops when it leaves the kernel: a sync of a slow disk may take seconds
const WAIT_MS = 1_000 // after that a process waiting in the kernel counts as stopped: it stops when it returns
const PER_BATCH = 1000
const STOPPED = 'TtZX' // stopped, traced, zombie, dead
const ROUNDS = 64 // each round stops the processes that were forked during the one before

/** Returns the processes below init by depth, init's own children first. */
function levels(init: number): number[][] {
  const found: number[][] = []
  for (let level = childrenOf(init); level.length; level = level.flatMap(childrenOf)) found.push(level)
  return found
}

/** Returns the process's pid in the box: the second of NSpid, as the first is the host's (proc_pid_status(5)). */
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

/** Stops every process of a running box. The caller must call `thaw` even when this rejects. */
export async function freeze(box: Box): Promise<void> {
  const { init } = box.manifest
  if (!init) return
  const frozen = levels(init.pid)
    .flat()
    .flatMap((pid): FrozenRecord[] => {
      const startTime = statesOf(pid).startsWith('T') ? startTimeOf(pid) : undefined
      return startTime === undefined ? [] : [{ pid, startTime }]
    })
  box.update({ frozen }) // before the first signal: when the daemon dies now, the next one must thaw the box
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
  // kill(-1) reaches every process, even one that forks faster than the rounds above.
  const batch = new Batch()
  batch.call('kill', [-1, k.SIGSTOP], { mayFail: true })
  await box.processes.run(batch)
  await untilStopped(levels(init.pid).flat())
}

/** Continues every process that was not stopped before the freeze. Does nothing to a box that is not frozen. */
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
