/**
 * Another user of the machine. The daemon runs what it is asked to as its owner, so it
 * must obey nobody else, even if its folder has been opened.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeJson } from '../../src/protocol/frames.ts'
import { PROTOCOL } from '../../src/protocol/server-messages.ts'
import { needsAll } from '../harness/facts.ts'
import { asInvoker } from '../harness/process.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { type Invoker, invokers, ordinary, solo } from '../harness/users.ts'
import { compile, needed, startBox } from './support.ts'

/** Sends its input to a socket and prints the answer. */
const TALK = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
int main(int argc, char **argv) {
  struct sockaddr_un at = {AF_UNIX};
  strcpy(at.sun_path, argv[1]);
  char text[65536];
  int fd = socket(AF_UNIX, SOCK_STREAM, 0), n;
  if (connect(fd, (void *)&at, sizeof at)) { printf("connect: %s\\n", strerror(errno)); return 1; }
  n = read(0, text, sizeof text);
  write(fd, text, n);
  struct timeval wait = {3};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  while ((n = read(fd, text, sizeof text)) > 0) {
    for (int i = 0; i < n; i++) if (text[i] < 32 || text[i] > 126) text[i] = '.';
    fwrite(text, 1, n, stdout); fflush(stdout);
    if (memmem(text, n, "result", 6)) break;
  }
  if (n < 0) printf("read: %s\\n", strerror(errno));
  return 0;
}`

const strangerTo = (invoker: Invoker) => (invoker.uid === ordinary.uid ? solo : ordinary)
const QUESTION = Buffer.concat([
  encodeJson({ type: 'hello', protocol: PROTOCOL, version: '0' }),
  encodeJson({ type: 'call', id: 1, call: { do: 'box.list' } }),
])

/** The program, in a place where everybody can run it. */
function talker(t: Scratch): string {
  const path = join(t.folder('open'), 'talk')
  writeFileSync(path, compile(TALK))
  chmodSync(path, 0o755)
  return path
}

async function ask(t: Scratch, who: Invoker, socket: string): Promise<string> {
  const command = asInvoker(who, [talker(t), socket])
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

  test.skipIf(others.missing)(
    `the sockets do not answer another user who can reach them${others.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      await startBox(t)
      for (const folder of ['', 'boxes', 'boxes/box']) chmodSync(join(t.runtimeDir, folder), 0o777)
      for (const socket of sockets(t)) {
        chmodSync(socket, 0o777)
        expect(await ask(t, stranger, socket)).toMatch(/^(read: Connection reset by peer\n)?$/)
      }
      const ls = await t.coop(['exec', '-n', 'box', '--', 'echo', 'well'])
      expect(ls.stdout).toBe('well\n')
    },
  )

  test.skipIf(others.missing)(`coop closes a folder that is open to others${others.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    chmodSync(t.runtimeDir, 0o777)
    expect((await t.coop(['ls'])).code).toBe(0)
    expect(lstatSync(t.runtimeDir).mode & 0o777).toBe(0o700)
  })
})
