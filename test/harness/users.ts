/**
 * The users that run coop in whole-program tests. When root runs the tests: a user made for them, and root itself. When an
 * ordinary user runs the tests: that user.
 */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'

export interface Invoker {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** The account's own home; `scratch` gives each test a fresh one. */
  readonly home: string
  /** Has subordinate ids, so that a box gets 65,536 ids; root needs none. */
  readonly hasRange: boolean
}

const RANGE_COUNT = 65_536
const FIRST_RANGE = 100_000 // where useradd starts, too (SUB_UID_MIN)
const FILES = { subuid: '/etc/subuid', subgid: '/etc/subgid' } as const

const self = userInfo()
const isRoot = self.uid === 0

/** The users to run a suite for: `describe.each(invokers)('as $name', (invoker) => ...)`. */
export const invokers: readonly Invoker[] = isRoot
  ? [
      makeUser('cooptest', true),
      // Not `homedir`, which Bun takes from HOME: other users only find the home of the password file.
      { name: 'root', uid: 0, gid: 0, home: passwdEntry('root')?.home ?? '/root', hasRange: true },
    ]
  : [{ name: self.username, uid: self.uid, gid: self.gid, home: self.homedir, hasRange: hasRange(self) }]

/** An unprivileged user, for tests that run only once. */
export const [ordinary] = invokers as readonly [Invoker, ...Invoker[]]

/** A user without subordinate ids, whose boxes have a single id; it exists when root runs the tests. */
export const solo: Invoker | undefined = isRoot
  ? makeUser('coopsolo', false)
  : invokers.find((invoker) => !invoker.hasRange)

/** Makes the user, or brings an existing one into the wanted state. Several test files may do so at the same time. */
function makeUser(name: string, wantsRange: boolean): Invoker {
  let entry = passwdEntry(name)
  if (entry === undefined) {
    // Fails when another test process was faster; the entry decides.
    run(['useradd', '--create-home', '--user-group', '--shell', '/bin/bash', name])
    entry = passwdEntry(name)
    if (entry === undefined) throw new Error(`useradd made no user ${name}`)
  }
  for (const [kind, file] of Object.entries(FILES)) {
    const ranges = subordinate(file).filter((range) => range.owner === name || range.owner === `${entry.uid}`)
    if (wantsRange && ranges.length === 0) {
      const start = freeRange()
      mustRun(['usermod', `--add-${kind}s`, `${start}-${start + RANGE_COUNT - 1}`, name])
    }
    if (wantsRange) continue
    for (const { start, count } of ranges)
      mustRun(['usermod', `--del-${kind}s`, `${start}-${start + count - 1}`, name])
  }
  return { ...entry, name, hasRange: wantsRange }
}

function passwdEntry(name: string): { uid: number; gid: number; home: string } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`))
  const [, , uid, gid, , home] = line?.split(':') ?? []
  return home === undefined ? undefined : { uid: Number(uid), gid: Number(gid), home }
}

interface Subordinate {
  readonly owner: string
  readonly start: number
  readonly count: number
}

function subordinate(file: string): Subordinate[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return [] // a system without the shadow tools
  }
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length === 3)
    .map(([owner = '', start, count]) => ({ owner, start: Number(start), count: Number(count) }))
}

function hasRange({ username, uid }: { username: string; uid: number }): boolean {
  const owns = (range: Subordinate) => range.owner === username || range.owner === `${uid}`
  return Object.values(FILES).every((file) => subordinate(file).some(owns))
}

/** The first id after every assigned range. */
function freeRange(): number {
  const all = Object.values(FILES).flatMap(subordinate)
  return Math.max(FIRST_RANGE, ...all.map((range) => range.start + range.count))
}

function run(command: string[]) {
  return Bun.spawnSync(command, { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
}

function mustRun(command: string[]): void {
  const { exitCode, stderr } = run(command)
  if (exitCode !== 0) throw new Error(`${command.join(' ')} failed: ${stderr.toString().trim()}`)
}
