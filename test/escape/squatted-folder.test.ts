/**
 * A runtime folder that another user made first, or that is a link. A client sends its
 * whole environment to the daemon, so it must not talk to a daemon of another user.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { needsAll } from '../harness/facts.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { type Invoker, invokers, ordinary, solo } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { compile, needed } from './support.ts'

/** Makes a socket and prints the first message that a client sends to it. */
const SERVE = `
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int argc, char **argv) {
  struct sockaddr_un at = {AF_UNIX};
  strcpy(at.sun_path, argv[1]);
  char text[65536];
  int fd = socket(AF_UNIX, SOCK_STREAM, 0), n;
  umask(0);
  if (bind(fd, (void *)&at, sizeof at) || listen(fd, 8)) { puts(strerror(errno)); return 1; }
  puts("ready"); fflush(stdout);
  fd = accept(fd, 0, 0);
  puts("connected"); fflush(stdout);
  while ((n = read(fd, text, sizeof text)) > 0) { fwrite(text, 1, n, stdout); fflush(stdout); }
  return 0;
}`

const strangerTo = (invoker: Invoker) => (invoker.uid === ordinary.uid ? solo : ordinary)
const NOBODY = 'the daemon does not run; it starts with the first command that needs it\n'
const REFUSAL: unknown = expect.stringContaining('belongs to another user')

/** The program, in a place where everybody can run it. */
function server(t: Scratch): string {
  const path = join(t.folder('open'), 'serve')
  writeFileSync(path, compile(SERVE))
  chmodSync(path, 0o755)
  return path
}

describe.each(invokers)('as $name', (invoker) => {
  const stranger = strangerTo(invoker) ?? invoker
  const box = needed(invoker, 'gcc')
  const others = needsAll({ gcc: !box.missing, 'another user': stranger !== invoker })

  test.skipIf(others.missing)(`a runtime folder of another user is refused${others.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    chownSync(t.runtimeDir, stranger.uid, stranger.gid)
    chmodSync(t.runtimeDir, 0o777)
    const run = await t.coop(['ls'])
    expect(run.code).not.toBe(0)
    expect(run.stderr).toContain('belongs to another user')
    chownSync(t.runtimeDir, invoker.uid, invoker.gid)
  })

  test.skipIf(others.missing)(
    `positive control: a squatter gets the message of a careless client${others.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const socket = join(t.folder('open'), 's')
      chmodSync(t.folder('open'), 0o777)
      const squatter = Bun.spawn(asInvoker(stranger, [server(t), socket]), {
        cwd: '/',
        env: {},
        stdout: 'pipe',
      })
      await waitUntil(() => lstatSync(socket).isSocket(), 'the squatter')
      const client = await Bun.connect({ unix: socket, socket: { data() {} } })
      client.end('SECRET_TOKEN=canary')
      expect(await new Response(squatter.stdout).text()).toContain('canary')
    },
  )

  for (const command of [['ls'], ['run', '--', 'true'], ['system', 'status'], ['-d', '--agent', 'true']]) {
    test.skipIf(others.missing)(
      `coop ${command[0]} tells a squatter's daemon nothing${others.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        chownSync(t.runtimeDir, stranger.uid, stranger.gid)
        chmodSync(t.runtimeDir, 0o777)
        const serve = asInvoker(stranger, [server(t), join(t.runtimeDir, 'daemon.sock')])
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
        // It ends by itself; a client that waits for the squatter would not.
        const { code, stdout, stderr } = await client.finished(3000).finally(() => squatter.kill('SIGKILL'))
        const heard = await new Response(squatter.stdout).text()
        chownSync(t.runtimeDir, invoker.uid, invoker.gid)
        rmSync(join(t.runtimeDir, 'daemon.sock'))
        expect(heard.replace(/^ready\s*(connected\s*)?/, '')).toBe('')
        // It only looks, and finds no daemon of its own.
        if (command[0] === 'system') expect({ code, stdout }).toEqual({ code: 0, stdout: NOBODY })
        else expect({ refused: code !== 0, stderr }).toMatchObject({ refused: true, stderr: REFUSAL })
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
