import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, fstatSync, mkdirSync, mkdtempSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as k from './abi/constants.ts'
import { openHow } from './abi/structs.ts'
import { Batch, BatchError, MAX_FDS, MAX_OPS, REGION_SIZE } from './batch.ts'
import { Channel } from './channel.ts'
import { socketPair } from './descriptors.ts'
import { startZygote } from './native.ts'
import { pipe } from './pipes.ts'
import { closeDescriptor } from './pty.ts'

const AT_CWD = -100
const SIGCHLD = 17

/** Reported exits, and the waiter for the next one. */
const exits = new Map<number, { status: number; failure: BatchError | undefined }>()
const waiting = new Map<number, () => void>()
let zygote: Channel
let zygotePid: number

async function exitOf(pid: number): Promise<{ status: number; failure: BatchError | undefined }> {
  if (!exits.has(pid)) await new Promise<void>((resolve) => waiting.set(pid, resolve))
  const exit = exits.get(pid)
  if (!exit) throw new Error('told of an exit that is not there')
  return exit
}

async function startOne(): Promise<{ channel: Channel; pid: number; closed: Promise<void> }> {
  const [connection, theirConnection] = socketPair(k.SOCK_STREAM)
  const [channel, theirChannel] = socketPair(k.SOCK_SEQPACKET)
  const pid = startZygote(theirConnection, theirChannel)
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const adopted = await Channel.adopt(connection, channel, {
    exit: (child, status, failure) => {
      exits.set(child, { status, failure })
      waiting.get(child)?.()
    },
    close: resolve,
  })
  return { channel: adopted, pid, closed }
}

beforeAll(async () => {
  const started = await startOne()
  zygote = started.channel
  zygotePid = started.pid
})
afterAll(() => zygote.close())

/** A batch that runs a program in a forked child. */
function program(...argv: string[]): Batch {
  const batch = new Batch()
  batch.fork(SIGCHLD)
  batch.call('execve', [argv[0] ?? '', batch.strings(argv), batch.strings(['WORD=from the batch'])])
  return batch
}

const pidOf = (results: readonly number[]): number => results.at(-1) ?? -1

describe('a batch', () => {
  test('runs in the zygote and returns what each call returned', async () => {
    const batch = new Batch()
    batch.call('getpid', [])
    batch.call('getppid', [])
    expect((await zygote.run(batch)).results).toEqual([zygotePid, process.pid])
  })

  test('returns the part of its data that it names', async () => {
    const batch = new Batch()
    const name = batch.space(390) // struct utsname
    batch.call('uname', [name])
    batch.output(name)
    const { output } = await zygote.run(batch)
    expect(output.toString('latin1', 0, output.indexOf(0))).toBe('Linux')
  })

  test('opens a path inside of a folder also while others rename', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coop-renames-'))
    mkdirSync(join(folder, 'below'))
    const script =
      'chdir shift; open(F, ">a"); close(F); $| = 1; print "ready"; for (;;) { rename "a", "b"; rename "b", "a" }'
    const renamer = Bun.spawn(['perl', '-e', script, folder], { stderr: 'inherit' })
    try {
      expect((await renamer.stdout.getReader().read()).done).toBe(false)
      // The kernel looks for renames at each `..` (openat2(2), EAGAIN); the host of a test has other renames, too.
      const path = 'below/../'.repeat(20)
      const how = openHow({ flags: k.O_PATH | k.O_CLOEXEC, resolve: k.RESOLVE_IN_ROOT })
      for (let round = 0; round < 600; round++) {
        const batch = new Batch()
        const top = batch.call('openat', [AT_CWD, folder, k.O_PATH], { scoped: true })
        for (let i = 0; i < 20; i++)
          batch.call('openat2', [top, path, how, how.length], { scoped: true, what: 'find' })
        await zygote.run(batch)
      }
    } finally {
      renamer.kill()
      await renamer.exited
      rmSync(folder, { recursive: true })
    }
  })

  test('goes on after an error that was foreseen, and has failed all the same after any other', async () => {
    const batchOf = (errors: readonly string[]): Batch => {
      const batch = new Batch()
      batch.call('openat', [AT_CWD, '/nowhere', k.O_RDONLY], { mayFail: errors, what: 'look' })
      batch.call('getpid', [])
      return batch
    }
    expect((await zygote.run(batchOf(['EEXIST', 'ENOENT']))).results).toEqual([-2, zygotePid])
    await expect(zygote.run(batchOf(['EEXIST']))).rejects.toMatchObject({ code: 'ENOENT', what: 'look' })
  })

  test('passes the result of an earlier call on', async () => {
    const batch = new Batch()
    const fd = batch.call('openat', [AT_CWD, '/proc/sys/kernel/ostype', k.O_RDONLY], { scoped: true })
    const text = batch.space(16)
    batch.call('read', [fd, text, 16])
    batch.output(text)
    expect((await zygote.run(batch)).output.toString('latin1', 0, 6)).toBe('Linux\n')
  })

  test('stops at the first call that fails, and says which, why and what for', async () => {
    const batch = new Batch()
    batch.call('getpid', [])
    batch.call('openat', [AT_CWD, '/nowhere', k.O_RDONLY], { what: 'open the door' })
    batch.call('exit_group', [1]) // this would end the zygote
    const error = await zygote.run(batch).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BatchError)
    expect(error).toMatchObject({ syscall: 'openat', code: 'ENOENT', what: 'open the door' })
    expect((await zygote.run(new Batch())).results).toEqual([])
  })

  test('goes on after a call that may fail', async () => {
    const batch = new Batch()
    batch.call('openat', [AT_CWD, '/nowhere', k.O_RDONLY], { mayFail: true })
    batch.call('getpid', [])
    expect((await zygote.run(batch)).results).toEqual([-2, zygotePid])
  })

  test('succeeds when its last call may fail and does', async () => {
    const batch = new Batch()
    batch.call('close', [9999], { mayFail: true })
    expect((await zygote.run(batch)).results).toEqual([-9])
  })

  test('goes on while two pieces of data are equal', async () => {
    const batch = new Batch()
    batch.equal(batch.data(Buffer.from('same')), batch.data(Buffer.from('same')))
    expect((await zygote.run(batch)).results).toEqual([0])
  })

  test('fails with ESTALE when two pieces of data differ', async () => {
    const batch = new Batch()
    batch.equal(batch.data(Buffer.from('this')), batch.data(Buffer.from('that')), { what: 'it was replaced' })
    expect(await zygote.run(batch).catch((reason: unknown) => reason)).toMatchObject({
      code: 'ESTALE',
      what: 'it was replaced',
    })
  })
})

describe('descriptors', () => {
  const openIn = async (): Promise<string[]> => {
    const batch = new Batch()
    const dir = batch.call('openat', [AT_CWD, '/proc/self/fd', k.O_RDONLY | k.O_CLOEXEC], { scoped: true })
    const entries = batch.space(4096)
    batch.call('getdents64', [dir, entries, 4096])
    batch.output(entries)
    const { output, results } = await zygote.run(batch)
    const text = output.subarray(0, results[1]).toString('latin1')
    return text.match(/[0-9]+(?=\0)/g) ?? []
  }

  test('that a batch made and marked come back and lead to the same file', async () => {
    const batch = new Batch()
    batch.call('openat', [AT_CWD, '/proc/version', k.O_RDONLY], { send: true, scoped: true })
    batch.call('openat', [AT_CWD, '/dev/null', k.O_RDONLY], { scoped: true })
    batch.call('openat', [AT_CWD, '/proc/sys/kernel/ostype', k.O_RDONLY], { send: true, scoped: true })
    const { fds } = await zygote.run(batch)
    expect(fds).toHaveLength(2)
    expect(fds.map((fd) => readFileSync(fd, 'latin1').slice(0, 5))).toEqual(['Linux', 'Linux'])
    fds.forEach(closeDescriptor)
  })

  test('that travel along can be used, and are closed on the other side afterwards', async () => {
    const before = await openIn()
    const [readEnd, writeEnd] = pipe()
    const batch = new Batch()
    const fd = batch.fd(writeEnd)
    batch.call('write', [fd, batch.data(Buffer.from('hello')), 5])
    expect((await zygote.run(batch)).results).toEqual([5])
    closeDescriptor(writeEnd)
    const bytes = Buffer.alloc(16)
    expect(readSync(readEnd, bytes)).toBe(5)
    expect(readSync(readEnd, bytes)).toBe(0) // end of file: nobody else has it open
    closeDescriptor(readEnd)
    expect(await openIn()).toEqual(before)
  })

  test('that are scoped are closed, also when the batch fails, and none are sent then', async () => {
    const before = await openIn()
    const batch = new Batch()
    batch.call('openat', [AT_CWD, '/dev/null', k.O_RDONLY], { scoped: true, send: true })
    batch.call('close', [9999])
    expect(await zygote.run(batch).catch((reason: unknown) => reason)).toBeInstanceOf(BatchError)
    expect(await openIn()).toEqual(before)
  })

  test('keep the order of batches that are under way at once', async () => {
    const replies = ['/dev/null', '/dev/zero', '/dev/full'].map((path) => {
      const batch = new Batch()
      batch.call('openat', [AT_CWD, path, k.O_RDONLY], { send: true, scoped: true })
      return zygote.run(batch)
    })
    const devices = (await Promise.all(replies)).map(({ fds }) => {
      const fd = fds[0] ?? -1
      const minor = fstatSync(fd).rdev & 0xff
      closeDescriptor(fd)
      return minor
    })
    expect(devices).toEqual([3, 5, 7])
  })
})

describe('many batches at once', () => {
  test('all get through, however many have descriptors', async () => {
    const [readEnd, writeEnd] = pipe()
    const sent = Array.from({ length: 600 }, () => {
      const batch = new Batch()
      batch.call('write', [batch.fd(writeEnd), batch.data(Buffer.from('.')), 1])
      return zygote.run(batch)
    })
    const results = (await Promise.all(sent)).map((reply) => reply.results[0])
    expect(results).toEqual(Array.from({ length: 600 }, () => 1))
    closeDescriptor(writeEnd)
    expect(readSync(readEnd, Buffer.alloc(1024))).toBe(600)
    closeDescriptor(readEnd)
  })

  test('a descriptor that cannot be sent fails its own batch only', async () => {
    const [readEnd, writeEnd] = pipe()
    closeDescriptor(readEnd)
    closeDescriptor(writeEnd)
    const broken = new Batch()
    broken.fd(writeEnd)
    const whole = new Batch()
    whole.call('getpid', [])
    const [first, second] = await Promise.allSettled([zygote.run(broken), zygote.run(whole)])
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'EBADF' } })
    expect(second).toMatchObject({ status: 'fulfilled', value: { results: [zygotePid] } })
  })

  test('every exit is told to a daemon that was busy meanwhile', async () => {
    const count = 400 // the kernel queues some 270 such messages
    const other = await startOne()
    const [readEnd, writeEnd] = pipe()
    const started = Array.from({ length: count }, async () => {
      const batch = new Batch()
      const fd = batch.fd(readEnd)
      batch.fork(SIGCHLD)
      batch.call('dup3', [fd, 0, 0])
      batch.call('close_range', [3, 0xffff_ffff, 0])
      batch.call('read', [0, batch.space(8), 8])
      batch.call('exit_group', [0])
      return pidOf((await other.channel.run(batch)).results)
    })
    const pids = await Promise.all(started)
    closeDescriptor(readEnd)
    closeDescriptor(writeEnd) // now all of them end
    const hasEnded = (pid: number): boolean => !existsSync(`/proc/${pid}/stat`)
    while (!pids.every(hasEnded)) Bun.sleepSync(5) // imitates a busy daemon, whose event loop does not turn
    await Promise.all(pids.map(exitOf))
    other.channel.close()
  }, 60_000)
})

describe('a forked child', () => {
  test('runs the rest of the batch; its exit is told', async () => {
    const pid = pidOf(
      (await zygote.run(program('/bin/sh', '-c', 'test "$WORD" = "from the batch" && exit 42'))).results,
    )
    expect(await exitOf(pid)).toEqual({ status: 42 << 8, failure: undefined })
  })

  test('that dies of a signal is told so', async () => {
    const pid = pidOf((await zygote.run(program('/bin/sh', '-c', 'kill -9 $$'))).results)
    expect(await exitOf(pid)).toEqual({ status: 9, failure: undefined })
  })

  test('that cannot exec says why before it ends', async () => {
    const pid = pidOf((await zygote.run(program('/nowhere/program'))).results)
    const { status, failure } = await exitOf(pid)
    expect(status).toBe(127 << 8)
    expect(failure).toMatchObject({ syscall: 'execve', code: 'ENOENT' })
  })

  test('that fails before exec says where', async () => {
    const batch = new Batch()
    batch.fork(SIGCHLD)
    batch.call('chdir', ['/nowhere'], { what: 'enter /nowhere' })
    batch.call('execve', ['/bin/true', batch.strings(['true']), batch.strings([])])
    const pid = pidOf((await zygote.run(batch)).results)
    expect((await exitOf(pid)).failure).toMatchObject({ syscall: 'chdir', what: 'enter /nowhere' })
  })

  test('starts with every signal at its default and none blocked after the batch unblocked them', async () => {
    const batch = new Batch()
    batch.fork(SIGCHLD)
    batch.call('rt_sigprocmask', [2, new Uint8Array(8), 0, 8])
    const script =
      'test "$(sed -n s/^SigBlk:.//p /proc/self/status)" = 0000000000000000 && grep -q "^SigIgn:.0000000000000000" /proc/self/status'
    batch.call('execve', [
      '/bin/sh',
      batch.strings(['sh', '-c', script]),
      batch.strings(['PATH=/usr/bin:/bin']),
    ])
    const pid = pidOf((await zygote.run(batch)).results)
    expect((await exitOf(pid)).status).toBe(0)
  })

  test('fork fails cleanly when init remembers as many children as it can', async () => {
    const other = await startOne()
    const pids: number[] = []
    let error: unknown
    for (let i = 0; i < 1100 && !error; i++) {
      const batch = new Batch()
      batch.fork(SIGCHLD)
      batch.call('exit_group', [0])
      await other.channel.run(batch).then(
        ({ results }) => pids.push(pidOf(results)),
        (reason: unknown) => {
          error = reason
        },
      )
    }
    expect(pids).toHaveLength(1024)
    expect(error).toMatchObject({ code: 'EAGAIN' })
    const forget = new Batch()
    forget.forget(pids[0] ?? -1)
    await other.channel.run(forget)
    const again = new Batch()
    again.fork(SIGCHLD)
    again.call('exit_group', [0])
    expect((await other.channel.run(again)).results).toHaveLength(1)
    other.channel.close()
  }, 60_000) // a thousand forks, on a machine that may be busy
})

describe('the other side', () => {
  test('keeps no memory of a large batch', async () => {
    const rss = (): number =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${zygotePid}/status`, 'utf8'))?.[1])
    const before = rss()
    const batch = new Batch()
    batch.space(2 << 20)
    batch.call('getpid', [])
    await zygote.run(batch)
    await zygote.run(new Batch()) // memory is freed after the reply and before the next batch
    expect(rss() - before).toBeLessThan(512) // KiB
  })

  test('ends when the daemon hangs up', async () => {
    const other = await startOne()
    other.channel.close()
    await other.closed
    expect(other.channel.closed).toBe(true)
    expect(await other.channel.run(new Batch()).catch((reason: Error) => reason.message)).toContain('gone')
  })

  test('hangs up on bytes that are no batch', async () => {
    const [connection, theirConnection] = socketPair(k.SOCK_STREAM)
    const [channel, theirChannel] = socketPair(k.SOCK_SEQPACKET)
    startZygote(theirConnection, theirChannel)
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const socket = await Bun.connect({
      fd: connection,
      socket: { data() {}, close: () => resolve() },
    } as unknown as Parameters<typeof Bun.connect>[0])
    ;(socket as unknown as { write(bytes: Uint8Array): number }).write(new Uint8Array(64).fill(0xff))
    await ended
    closeDescriptor(channel)
  })
})

describe('building a batch', () => {
  test('refuses a NUL byte in a string, too many operations, descriptors and bytes', () => {
    expect(() => new Batch().string('a\0b')).toThrow(TypeError)
    const many = new Batch()
    for (let i = 0; i < MAX_OPS; i++) many.call('getpid', [])
    expect(() => many.call('getpid', [])).toThrow(RangeError)
    const fds = new Batch()
    for (let i = 0; i < MAX_FDS; i++) fds.fd(0)
    expect(() => fds.fd(0)).toThrow(RangeError)
    const large = new Batch()
    large.space(REGION_SIZE)
    expect(() => large.encode(0n, 1)).toThrow(RangeError)
  })
})
