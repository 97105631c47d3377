/**
 * ESCAPE 45: another user of the machine. The daemon runs what it is asked to as its owner, and a client sends its
 * whole environment: neither may ever talk to somebody else, also where a folder is open or squatted.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeJson } from '../../src/protocol/frames.ts'
import { PROTOCOL } from '../../src/protocol/messages.ts'
import { coopPath } from '../harness/coop.ts'
import { needsAll } from '../harness/facts.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { type Invoker, invokers, ordinary, solo } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { compile, needed, startBox } from './support.ts'

/** \`ask PATH\`: sends its input and prints the answer. \`serve PATH\`: prints what the first client sends. */
const TALK = `
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
int main(int argc, char **argv) {
  struct sockaddr_un at = {AF_UNIX};
  strcpy(at.sun_path, argv[2]);
  char text[65536];
  int fd = socket(AF_UNIX, SOCK_STREAM, 0), n;
  if (!strcmp(argv[1], "serve")) {
    umask(0);
    if (bind(fd, (void *)&at, sizeof at) || listen(fd, 8)) { puts(strerror(errno)); return 1; }
    puts("ready"); fflush(stdout);
    fd = accept(fd, 0, 0);
    puts("connected"); fflush(stdout);
  } else {
    if (connect(fd, (void *)&at, sizeof at)) { printf("connect: %s\\n", strerror(errno)); return 1; }
    n = read(0, text, sizeof text);
    write(fd, text, n);
    struct timeval wait = {3};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  }
  while ((n = read(fd, text, sizeof text)) > 0) {
    for (int i = 0; i < n; i++) if (text[i] < 32 || text[i] > 126) text[i] = '.';
    fwrite(text, 1, n, stdout); fflush(stdout);
    if (argv[1][0] == 'a' && memmem(text, n, "result", 6)) break;
  }
  if (n < 0) printf("read: %s\\n", strerror(errno));
  return 0;
}`

const strangerTo = (invoker: Invoker) => (invoker.uid === ordinary.uid ? solo : ordinary)
const QUESTION = Buffer.concat([
  encodeJson({ type: 'hello', protocol: PROTOCOL, version: '0' }),
  encodeJson({ type: 'call', id: 1, call: { do: 'box.list' } }),
])

const NOBODY = 'the daemon does not run; it starts with the first command that needs it\n'

/** The program where everybody can run it. */
function talker(t: Scratch): string {
  const path = join(t.folder('open'), 'talk')
  writeFileSync(path, compile(TALK.replace('#include', '#define _GNU_SOURCE\n#include')))
  chmodSync(path, 0o755)
  return path
}

async function ask(t: Scratch, who: Invoker, socket: string): Promise<string> {
  const command = asInvoker(who, [talker(t), 'ask', socket])
  const child = Bun.spawn(command, { cwd: '/', env: {}, stdin: QUESTION, stdout: 'pipe', stderr: 'ignore' })
  return await new Response(child.stdout).text()
}

describe.each(invokers)('as $name', (invoker) => {
  const stranger = strangerTo(invoker) ?? invoker
  const box = needed(invoker, 'gcc')
  const others = needsAll({ gcc: !box.missing, 'another user': stranger !== invoker })
  const sockets = (t: Scratch) =>
    ['daemon.sock', 'boxes/box/init.sock'].map((name) => join(t.runtimeDir, name))

  test.skipIf(others.missing)(`the sockets cannot be reached by another user${others.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    for (const socket of [...sockets(t), join(t.runtimeDir, 'fds.sock')]) {
      expect(await ask(t, stranger, socket)).toBe('connect: Permission denied\n')
    }
    // Positive control: their owner is answered.
    expect(await ask(t, invoker, join(t.runtimeDir, 'daemon.sock'))).toContain('"name":"box"')
  })

  test.skipIf(others.missing)(`nor by one who can reach them are they answered${others.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    for (const folder of ['', 'boxes', 'boxes/box']) chmodSync(join(t.runtimeDir, folder), 0o777)
    for (const socket of sockets(t)) {
      chmodSync(socket, 0o777)
      expect(await ask(t, stranger, socket)).toMatch(/^(read: Connection reset by peer\n)?$/)
    }
    const ls = await t.coop(['exec', '-n', 'box', '--', 'echo', 'well'])
    expect(ls.stdout).toBe('well\n')
  })

  test.skipIf(others.missing)(`a folder that is open to others is closed${others.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    chmodSync(t.runtimeDir, 0o777)
    expect((await t.coop(['ls'])).code).toBe(0)
    expect(lstatSync(t.runtimeDir).mode & 0o777).toBe(0o700)
  })

  test.skipIf(others.missing)(`a runtime folder of another user is refused${others.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    chownSync(t.runtimeDir, stranger.uid, stranger.gid)
    chmodSync(t.runtimeDir, 0o777)
    const run = await t.coop(['ls'])
    expect(run.code).not.toBe(0)
    expect(run.stderr).toContain('belongs to another user')
    chownSync(t.runtimeDir, invoker.uid, invoker.gid)
  })

  for (const command of [['ls'], ['run', '--', 'true'], ['system', 'status'], ['-d', '--agent', 'true']]) {
    test.skipIf(others.missing)(
      `coop ${command[0]} tells a squatter's daemon nothing${others.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        chownSync(t.runtimeDir, stranger.uid, stranger.gid)
        chmodSync(t.runtimeDir, 0o777)
        const serve = asInvoker(stranger, [talker(t), 'serve', join(t.runtimeDir, 'daemon.sock')])
        const env = { SECRET_TOKEN: 'canary' }
        const squatter = Bun.spawn(serve, {
          cwd: '/',
          env: {},
          stdin: 'ignore',
          stdout: 'pipe',
          stderr: 'inherit',
        })
        await waitUntil(() => lstatSync(join(t.runtimeDir, 'daemon.sock')).isSocket(), 'the squatter')
        const client = t.startCoop(command, { env })
        // It ends of itself; one that waits for the squatter would not.
        const { code, stdout, stderr } = await client.finished(3000).finally(() => squatter.kill('SIGKILL'))
        const heard = await new Response(squatter.stdout).text()
        chownSync(t.runtimeDir, invoker.uid, invoker.gid)
        rmSync(join(t.runtimeDir, 'daemon.sock'))
        expect(heard.replace(/^ready\s*(connected\s*)?/, '')).toBe('')
        // It only looks, and finds no daemon that is its own.
        if (command[0] === 'system') expect({ code, stdout }).toEqual({ code: 0, stdout: NOBODY })
        else
          expect({ code, said: /another user/.test(stderr) }).toEqual({
            code: expect.any(Number),
            said: true,
          })
      },
    )
  }

  test.each(['link', 'file', 'dangling'] as const)(
    'a runtime folder that is a %s is refused',
    async (kind) => {
      await using t = await scratch(invoker, { git: false })
      rmSync(t.runtimeDir, { recursive: true })
      const target = t.folder('elsewhere', 0o700)
      if (kind === 'file') t.write(t.runtimeDir, '')
      else symlinkSync(kind === 'link' ? target : join(t.root, 'nowhere'), t.runtimeDir)
      const run = await t.run([coopPath(), 'ls'])
      expect(run.code).not.toBe(0)
      expect(run.stderr).toContain('is a link or a file, not a folder')
      rmSync(t.runtimeDir)
      mkdirSync(t.runtimeDir)
    },
  )
})
