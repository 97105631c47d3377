/**
 * A cgroup tree that belongs to the user, as in a systemd user session. Root of a cgroup namespace can mount the
 * cgroup that it runs in, and root of the box is the user outside: it could freeze or kill all of the user's programs.
 */
import { describe, expect, test } from 'bun:test'
import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownCgroup } from '../../src/container/cgroup.ts'
import { coopPath } from '../harness/coop.ts'
import { needsAll } from '../harness/facts.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import type { Invoker } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { everyone, needed, said } from './support.ts'

const tree = ownCgroup('0::/', readFileSync('/proc/self/mountinfo', 'utf8'))

/** A part of the tree that is delegated to a user (cgroups(7)), and a session of that user in it. */
class Session implements Disposable {
  readonly #base: string
  readonly path: string
  readonly #invoker: Invoker

  constructor(invoker: Invoker) {
    this.#invoker = invoker
    this.#base = join(tree ?? '', `coop-test-${crypto.randomUUID()}`)
    this.path = join(this.#base, 'session')
    mkdirSync(this.#base)
    for (const name of ['', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'])
      chownSync(join(this.#base, name), invoker.uid, invoker.gid)
    Bun.spawnSync(asInvoker(invoker, ['mkdir', this.path]))
  }

  /** Starts a program in the session, as its user. */
  start(t: Scratch, command: readonly string[]) {
    const enter = ['sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', this.path]
    return Bun.spawn([...enter, ...asInvoker(this.#invoker, command)], {
      cwd: t.workspace,
      env: { ...t.env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
  }

  async run(t: Scratch, ...command: readonly string[]) {
    const child = this.start(t, command)
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    return {
      code: await child.exited,
      signal: child.signalCode === null ? null : String(child.signalCode),
      stdout,
      stderr,
    }
  }

  coop(t: Scratch, ...args: readonly string[]) {
    return this.run(t, coopPath(), ...args)
  }

  #read(name: string): string {
    return readFileSync(join(this.path, name), 'utf8')
  }

  /** Does something as the user, outside of all boxes. */
  outside(script: string): boolean {
    return Bun.spawnSync(asInvoker(this.#invoker, ['sh', '-c', script])).exitCode === 0
  }

  get frozen(): boolean {
    return this.#read('cgroup.events').includes('frozen 1')
  }

  /** Cgroups of boxes, with the processes in them. */
  get boxes(): Map<string, string[]> {
    const names = readdirSync(this.path).filter((name) => name.startsWith('coop-box-'))
    return new Map(
      names.map((name) => [name, this.#read(`${name}/cgroup.procs`).split('\n').filter(Boolean)]),
    )
  }

  kill(): void {
    writeFileSync(join(this.path, 'cgroup.kill'), '1')
  }

  [Symbol.dispose](): void {
    this.kill()
    for (let tries = 0; ; tries++)
      try {
        for (const name of this.boxes.keys()) rmdirSync(join(this.path, name))
        rmdirSync(this.path)
        break
      } catch (error) {
        if (tries === 5_000) throw error // a killed process keeps it until it is reaped
        Bun.sleepSync(1)
      }
    rmdirSync(this.#base)
  }
}

/** Every way to a cgroup file system, then the attacks that need one. */
const REACH = `
mkdir -p cg
for how in "unshare -UrmC" "unshare -Urm" "unshare -UrmpfC --mount-proc" "unshare -mC" "unshare -C" "env"; do
  for type in cgroup2 "cgroup -o none,name=coop"; do
    $how sh -c "$(cat use.sh)
mount -t $type none cg && use" 2>/dev/null
  done
done
:`
const USE = 'use() { ls -d cg/cgroup.procs && { echo 1 >cg/cgroup.freeze; echo reached; }; }\n'

/** Attacks on the cgroup that a box sees; each prints a line when it does something. */
const ATTACKS = `
cd /sys/fs/cgroup || exit
echo began
attack() {
  for f in $(find . -type f); do (echo 1 >$f) && echo "wrote $f"; done
  (echo $$ >cgroup.procs) && echo moved
  mkdir below && echo made
  chmod 777 cgroup.procs && echo chmod
  mount -o remount,rw /sys/fs/cgroup && echo remounted
  mount -o remount,bind,rw /sys/fs/cgroup && echo rebound
  mount --bind /sys/fs/cgroup /mnt && echo bound
  mount --move /sys/fs/cgroup /mnt && echo moved
  mount -t tmpfs none /sys/fs && echo covered
  umount /sys/fs/cgroup && echo unmounted
  umount -l /sys && echo unmounted
  for fd in 3 4; do eval "exec $fd<cgroup.freeze"; (echo 1 >/proc/self/fd/$fd) && echo reopened; done
}
attack 2>/dev/null
`
/** Rights over the mount namespace of its own do not make mounts of another one writable or remove them. */
const NESTED_ATTACKS = `
for how in "unshare -Urm" "unshare -UrmC" "unshare -Urmp --fork --kill-child"; do
  $how sh -c '
cd /sys/fs/cgroup || exit
for f in $(find . -type f); do (echo 1 >$f) && echo "wrote $f"; done
mkdir below && echo made
mount -o remount,rw /sys/fs/cgroup && echo remounted
mount -o remount,bind,rw,nosuid,nodev,noexec /sys/fs/cgroup && echo rebound
umount /sys/fs/cgroup && echo unmounted
mkdir -p /tmp/m; mount --bind /sys/fs/cgroup /tmp/m; mount -o remount,bind,rw /tmp/m && echo "wrote the copy"
(echo 1 >/tmp/m/cgroup.freeze) && echo "wrote the copy"
mount -t cgroup2 none /tmp/m && echo mounted' 2>/dev/null
done; :
`

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'unshare')
  const delegation = needsAll({
    'user namespaces': !box.missing,
    root: process.getuid?.() === 0,
    'a cgroup v2 tree': tree !== undefined,
  })

  test.skipIf(delegation.missing)(
    `positive control: outside, the user's session is frozen so${delegation.note}`,
    async () => {
      using session = new Session(invoker)
      await using t = await scratch(invoker, { git: false })
      const script = 'mkdir -p cg; mount -t cgroup2 none cg && echo mounted && echo 1 >cg/cgroup.freeze'
      const child = session.start(t, ['unshare', '-UrmC', 'sh', '-c', script])
      await waitUntil(() => session.frozen, 'the session to be frozen')
      session.kill()
      await child.exited
    },
  )

  for (const nested of [false, true])
    test.skipIf(delegation.missing)(
      `a box reaches no cgroup file system, nested ${nested}${delegation.note}`,
      async () => {
        using session = new Session(invoker)
        await using t = await scratch(invoker, { git: false })
        t.settings(`[sandbox]\nnested = ${nested}\n`)
        t.write('use.sh', USE)
        const works = nested && invoker.uid !== 0 ? 'unshare -Urm true && echo nested works;' : ''
        const ran = await session.coop(t, 'run', '--', 'timeout', '20', 'sh', '-c', `${works} ${REACH}`)
        expect(said(ran)).toBe(works ? 'nested works\n' : '')
        expect(session.frozen).toBe(false)
        expect((await session.coop(t, 'system', 'shutdown')).code).toBe(0)
      },
    )

  for (const network of ['host', 'none'])
    test.skipIf(delegation.missing)(
      `a box sees its own cgroup and can change nothing of it, network ${network}${delegation.note}`,
      async () => {
        using session = new Session(invoker)
        await using t = await scratch(invoker, { git: false })
        const settings = ['--network', network, '--agent', 'sleep infinity']
        expect((await session.coop(t, '-d', '-n', 'box', ...settings)).code).toBe(0)
        const inside = async (script: string) =>
          said(await session.coop(t, 'exec', '-n', 'box', '--', 'timeout', '20', 'sh', '-c', script))
        const [name = ''] = [...session.boxes].find(([, pids]) => pids.length === 2) ?? []
        // Positive control: the files are the user's, who may write them outside.
        const own = join(session.path, name)
        expect(
          session.outside(`echo 7 >${own}/cgroup.max.depth && mkdir ${own}/below && rmdir ${own}/below`),
        ).toBe(true)

        const seen = await inside(
          'cd /sys/fs/cgroup; pwd -P; cat cgroup.max.depth; find . -mindepth 1 -type d; ls ..; sort -n cgroup.procs | head -n 1; stat -fc %T .',
        )
        // Its first process is init; one from outside of the box would be 0.
        expect(seen).toBe('/sys/fs/cgroup\n7\ncgroup\n1\ncgroup2fs\n')
        expect(await inside(ATTACKS)).toBe('began\n')
        expect(readFileSync(join(own, 'cgroup.max.depth'), 'utf8')).toBe('7\n')
        expect(session.frozen).toBe(false)
        expect((await session.coop(t, 'kill', '-f', 'box')).code).toBe(0)
        expect((await session.coop(t, 'system', 'shutdown')).code).toBe(0)
      },
    )

  // In a box of root's no namespace can map root: it lacks SETFCAP (user_namespaces(7)).
  test.skipIf(delegation.missing || invoker.uid === 0)(
    `a namespace in a nested box changes nothing of it either${delegation.note}`,
    async () => {
      using session = new Session(invoker)
      await using t = await scratch(invoker, { git: false })
      t.settings('[sandbox]\nnested = true\n')
      const script = `ls -d /sys/fs/cgroup; unshare -Urm echo nested works; ${NESTED_ATTACKS}`
      const ran = await session.coop(t, 'run', '--', 'timeout', '20', 'sh', '-c', script)
      expect(said(ran)).toBe('/sys/fs/cgroup\nnested works\n')
      expect(session.frozen).toBe(false)
      expect((await session.coop(t, 'system', 'shutdown')).code).toBe(0)
    },
  )

  test.skipIf(delegation.missing)(
    `a box has a cgroup of its own, which goes with it${delegation.note}`,
    async () => {
      using session = new Session(invoker)
      await using t = await scratch(invoker, { git: false })
      expect((await session.coop(t, '-d', '-n', 'box', '--agent', 'sleep infinity')).code).toBe(0)
      const own = await session.coop(t, 'exec', '-n', 'box', '--', 'sh', '-c', 'tail -n 1 /proc/self/cgroup')
      expect(own.stdout).toBe('0::/\n')
      const agent = () => [...session.boxes.values()].filter((pids) => pids.length === 2)
      expect(agent()).toHaveLength(1) // init and the agent; a spare has its init only
      expect((await session.coop(t, 'kill', '-f', 'box')).code).toBe(0)
      expect(agent()).toHaveLength(0)
      expect((await session.coop(t, 'system', 'shutdown')).code).toBe(0)
      await waitUntil(() => session.boxes.size === 0, 'the last cgroup to go')
    },
  )

  test.skipIf(delegation.missing)(
    `the cgroup of a box whose daemon was killed goes with the box, too${delegation.note}`,
    async () => {
      using session = new Session(invoker)
      await using t = await scratch(invoker, { git: false })
      expect((await session.coop(t, '-d', '-n', 'box', '--agent', 'sleep infinity')).code).toBe(0)
      expect((await session.coop(t, '-d', '-n', 'lost', '--agent', 'sleep infinity')).code).toBe(0)
      const inhabited = () => [...session.boxes].filter(([, pids]) => pids.length === 2).map(([name]) => name)
      const before = inhabited()
      expect(before).toHaveLength(2)
      const { pid } = JSON.parse((await session.coop(t, 'system', 'status', '--json')).stdout)
      process.kill(pid, 'SIGKILL')
      await waitUntil(() => [...session.boxes.values()].every((pids) => pids.length !== 1), 'the spare to go')
      expect((await session.coop(t, 'ls')).stdout).toContain('box')
      expect(inhabited().sort()).toEqual(before.sort()) // adopted with their cgroups
      for (const name of ['box', 'lost']) expect((await session.coop(t, 'kill', '-f', name)).code).toBe(0)
      expect((await session.coop(t, 'system', 'shutdown')).code).toBe(0)
      await waitUntil(() => session.boxes.size === 0, 'the last cgroup to go')
    },
  )
})
