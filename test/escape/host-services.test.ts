/**
 * Services of the host: on its loopback, on its other addresses, on unix sockets in its folders, and the
 * address of clouds' metadata. With `--network none` a box reaches none of them. In host mode the network is
 * the host's by design (SECURITY.md), which is the control; sockets in folders are out of reach all the same.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { answers, compile, inBox, needed, startBox } from './support.ts'

const WORD = 'a service of the host'

/** Prints the answer of the service at each address. */
function askAll(addresses: readonly string[], port: number): string {
  const ask = (address: string) =>
    `(exec 3<>/dev/tcp/${address}/${port} && head -n 1 <&3) 2>&1 | sed 's/^/${address}: /'`
  return `bash -c "${addresses.map(ask).join('; ').replaceAll('$', '\\$')}; :"`
}

const own = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => address)

function serve() {
  const socket = { open: (client: { end(text: string): unknown }) => void client.end(`${WORD}\n`), data() {} }
  return { tcp: Bun.listen({ hostname: '0.0.0.0', port: 0, socket }), socket }
}

/** Connects to a unix socket at a path and prints its answer. */
const UNIX = `
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    struct sockaddr_un at = {AF_UNIX};
    strncpy(at.sun_path, argv[i], sizeof at.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char text[64] = "";
    if (connect(fd, (void *)&at, sizeof at) == 0) read(fd, text, 63), printf("%d=reached %s\\n", i, text);
  }
  return 0;
}`

function unixService(path: string) {
  const { socket } = serve()
  const service = Bun.listen({ unix: path, socket })
  chmodSync(path, 0o777)
  return service
}

describe.each(invokers)('as $name', (invoker) => {
  const box = needed(invoker, 'bash')
  const gcc = needed(invoker, 'gcc')

  test.skipIf(box.missing)(`positive control: in host mode a box reaches them${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { tcp } = serve()
    const said = await inBox(t, askAll(['127.0.0.1', ...own()], tcp.port), ['--network', 'host'])
    for (const address of own()) expect(said).toContain(`${address}: ${WORD}`)
    tcp.stop(true)
  })

  test.skipIf(box.missing)(`without a network a box reaches none of them${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { tcp } = serve()
    const addresses = ['127.0.0.1', '127.0.0.53', '0.0.0.0', 'localhost', '::1', '169.254.169.254', ...own()]
    const said = await inBox(t, askAll(addresses, tcp.port), ['--network', 'none'])
    expect(said).not.toContain(WORD)
    expect(said).toMatch(/^169\.254\.169\.254: .*Network is unreachable/m)
    // Its own loopback is there, and empty.
    expect(said).toMatch(/^127\.0\.0\.1: .*Connection refused/m)
    tcp.stop(true)
  })

  test.skipIf(box.missing)(`a box without a network has one interface and no route${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script =
      "sed -n '3,$s/:.*//p' /proc/net/dev; tail -n +2 /proc/net/route; ls /sys/class/net 2>/dev/null; :"
    const interfaces = (await inBox(t, script, ['--network', 'none'])).trim().split('\n')
    expect(new Set(interfaces)).toEqual(new Set(['lo']))
  })

  test.skipIf(box.missing)(`a running box keeps its mode for exec${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const { tcp } = serve()
    t.write('coop.toml', '[network]\nmode = "none"\n')
    await startBox(t)
    const run = await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', askAll(['127.0.0.1'], tcp.port)])
    expect(run.stdout).toContain('Connection refused')
    tcp.stop(true)
  })

  test.skipIf(gcc.missing)(
    `a box reaches no socket in folders of the host, in any mode${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('ask', compile(UNIX), 0o755)
      const paths = [
        join(t.root, 's'),
        join(t.home, 's'),
        `/run/coop-test-${crypto.randomUUID().slice(0, 8)}`,
      ]
      const usable = paths.filter((path) => !path.startsWith('/run/') || process.getuid?.() === 0)
      const services = usable.map(unixService)
      const outside = answers((await t.run(['./ask', ...usable])).stdout)
      expect(Object.keys(outside)).toHaveLength(usable.length) // the control
      const usual = [
        '/run/docker.sock',
        '/var/run/docker.sock',
        '/run/podman/podman.sock',
        '/run/dbus/system_bus_socket',
      ]
      const own = [join(t.runtimeDir, 'daemon.sock'), join(t.runtimeDir, 'fds.sock')]
      for (const network of ['host', 'none']) {
        expect(
          await inBox(t, `./ask ${[...usable, ...usual, ...own].join(' ')}; :`, ['--network', network]),
        ).toBe('')
      }
      for (const service of services) service.stop(true)
      expect(existsSync(own[0] ?? '')).toBe(true)
      for (const path of usable)
        await Bun.file(path)
          .delete()
          .catch(() => {})
    },
  )
})
