/**
 * Abstract unix sockets. They belong to a network namespace and to no folder. A box that shares
 * the host's network could reach its X11, D-Bus and agents; the scopes of Landlock (Linux 6.12) prevent that.
 */
import { describe, expect, test } from 'bun:test'
import { needsAll } from '../harness/facts.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { answers, compile, inBox, needed, said, startBox } from './support.ts'

/** `serve NAME`: a stream and a datagram socket; prints what arrives. `ask NAME`: connects to both and sends. */
const PROGRAM = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>
static struct sockaddr_un at;
static socklen_t address(const char *name, const char *kind) {
  memset(&at, 0, sizeof at);
  at.sun_family = AF_UNIX;
  return offsetof(struct sockaddr_un, sun_path) + 1 + sprintf(at.sun_path + 1, "%s-%s", name, kind);
}
static void say(const char *name, long r) { printf("%s=%s\\n", name, r >= 0 ? "OK" : strerrorname_np(errno)); fflush(stdout); }
int main(int argc, char **argv) {
  int stream = socket(AF_UNIX, SOCK_STREAM, 0), packets = socket(AF_UNIX, SOCK_DGRAM, 0);
  char text[64];
  if (!strcmp(argv[1], "ask")) {
    socklen_t n = address(argv[2], "stream");
    say("stream", connect(stream, (void *)&at, n));
    n = address(argv[2], "packets");
    say("packets", sendto(packets, "packets", 7, 0, (void *)&at, n));
    say("connected", connect(packets, (void *)&at, n));
    return 0;
  }
  socklen_t n = address(argv[2], "stream");
  bind(stream, (void *)&at, n); listen(stream, 8);
  n = address(argv[2], "packets");
  bind(packets, (void *)&at, n);
  puts("ready"); fflush(stdout);
  struct pollfd p[2] = {{stream, POLLIN}, {packets, POLLIN}};
  while (poll(p, 2, -1) > 0) {
    if (p[0].revents) { close(accept(stream, 0, 0)); puts("got stream"); }
    if (p[1].revents) { recv(packets, text, 64, 0); puts("got packets"); }
    fflush(stdout);
  }
  return 0;
}`

const OPEN = { stream: 'OK', packets: 'OK', connected: 'OK' }
const CLOSED = { stream: 'EPERM', packets: 'EPERM', connected: 'EPERM' }

function landlockScopes(): boolean {
  const [major = 0, minor = 0] = (Bun.spawnSync(['uname', '-r']).stdout.toString().match(/\d+/g) ?? []).map(
    Number,
  )
  return major > 6 || (major === 6 && minor >= 12)
}

async function serving(t: Scratch, command: 'outside' | 'box', name: string) {
  const serve = ['./sockets', 'serve', name]
  const server = command === 'box' ? t.startCoop(['exec', '-n', 'box', '--', ...serve]) : t.start(serve)
  await server.waitFor(/ready/)
  return server
}

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const scopes = needsAll({ gcc: !gcc.missing, 'Landlock of Linux 6.12': landlockScopes() })
  const name = `coop-${crypto.randomUUID()}`

  test.skipIf(gcc.missing)(`positive control: outside the box the socket is reached${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('sockets', compile(PROGRAM), 0o755)
    const server = await serving(t, 'outside', name)
    expect(answers((await t.run(['./sockets', 'ask', name])).stdout)).toEqual(OPEN)
    await server.waitFor(/got stream[\s\S]*got packets|got packets[\s\S]*got stream/)
  })

  test.skipIf(scopes.missing)(
    `a box on the host's network reaches none of the host${scopes.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('sockets', compile(PROGRAM), 0o755)
      const server = await serving(t, 'outside', name)
      expect(answers(await inBox(t, `./sockets ask ${name}`, ['--network', 'host']))).toEqual(CLOSED)
      await startBox(t)
      const ask = ['exec', '-n', 'box', '--', './sockets', 'ask', name]
      expect(answers(said(await t.coop(ask)))).toEqual(CLOSED)
      // A process forked from another, and one that confines itself further, cannot get around the scope.
      expect(answers(await inBox(t, `(setsid sh -c './sockets ask ${name} | cat')`))).toEqual(CLOSED)
      expect(server.stdout).toBe('ready\n')
    },
  )

  test.skipIf(scopes.missing)(`a box reaches no socket of another box${scopes.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('sockets', compile(PROGRAM), 0o755)
    await startBox(t)
    const server = await serving(t, 'box', name)
    expect(answers(await inBox(t, `./sockets ask ${name}`))).toEqual(CLOSED)
    expect(server.stdout).toBe('ready\n')
  })

  test.skipIf(gcc.missing)(`without a network the names are the box's own${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('sockets', compile(PROGRAM), 0o755)
    await serving(t, 'outside', name)
    const tries = answers(await inBox(t, `./sockets ask ${name}`, ['--network', 'none']))
    for (const answer of Object.values(tries)) expect(answer).toMatch(/^(EPERM|ECONNREFUSED)$/)
  })

  test.skipIf(gcc.missing)(`programs of one family reach each other${gcc.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('sockets', compile(PROGRAM), 0o755)
    const script = `mkfifo f; ./sockets serve ${name} >f & exec 5<f; read line <&5; ./sockets ask ${name}; kill $!`
    expect(answers(await inBox(t, script))).toEqual(OPEN)
  })
})
