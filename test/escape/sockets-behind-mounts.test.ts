/**
 * Programs of the host behind a mount. Neither connect(2) nor an open of a fifo for writing asks whether
 * the mount is read-only. So a read-only folder let a box command the programs that listen there: a terminal
 * multiplexer, a container engine, a shell that reads from a fifo.
 */
import { describe, expect, test } from 'bun:test'
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { waitUntil } from '../harness/wait.ts'
import { compile, everyone, inBox, needed, startBox, unprotected } from './support.ts'

/** `attack FOLDER`: connects to FOLDER/socket, writes to FOLDER/fifo, and prints what it reached. */
const ATTACK = `
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(int argc, char **argv) {
  struct sockaddr_un at = {AF_UNIX};
  char fifo[200];
  snprintf(at.sun_path, sizeof at.sun_path, "%s/socket", argv[1]);
  snprintf(fifo, sizeof fifo, "%s/fifo", argv[1]);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (void *)&at, sizeof at)) printf("socket=%s\\n", strerror(errno));
  else printf("socket=reached\\n");
  fd = open(fifo, O_WRONLY | O_NONBLOCK);
  if (fd < 0) printf("fifo=%s\\n", strerror(errno));
  else write(fd, "evil\\n", 5), printf("fifo=reached\\n");
  return 0;
}`

/** A folder with a service of the host in it: a socket that everybody may connect to, a fifo with a reader. */
class Service implements Disposable {
  readonly folder: string
  readonly #server: { stop(force?: boolean): void }

  constructor(t: Scratch, at: string) {
    this.folder = t.folder(at)
    t.write(join(this.folder, 'file'), 'readable\n')
    this.#server = Bun.listen({
      unix: join(this.folder, 'socket'),
      socket: { open: (client) => void client.end('served\n'), data() {} },
    })
    chmodSync(join(this.folder, 'socket'), 0o777)
    Bun.spawnSync(['mkfifo', '-m', '666', join(this.folder, 'fifo')])
    // Opened for both: a reader is there all the time, and no open waits for the other side.
    this.#reader = t.start(['sh', '-c', `exec 3<>"${this.folder}/fifo"; echo ready; exec cat <&3`])
  }

  readonly #reader: ReturnType<Scratch['start']>

  async ready(): Promise<this> {
    await waitUntil(() => this.#reader.stdout.includes('ready'), 'the reader of the fifo')
    return this
  }

  [Symbol.dispose](): void {
    this.#server.stop(true)
  }
}

const attackIn = (t: Scratch): string => t.write('attack', compile(ATTACK), 0o755)
const configure = (t: Scratch, lines: readonly string[], whose: 'project' | 'user'): void => {
  const text = `[sandbox]\nmounts = [${lines.join(', ')}]\n`
  t.write(whose === 'project' ? 'coop.toml' : join(t.configDir, 'default.toml'), text)
}

describe.each(everyone)('as $name', (invoker) => {
  const box = needed(invoker, 'gcc')

  test.skipIf(box.missing)(
    `positive control: a plain read-only mount lets both through${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using service = await new Service(t, 'home/lib').ready()
      const attack = attackIn(t)
      const script = `mount --bind ${service.folder} /mnt && mount -o remount,bind,ro /mnt && ! touch /mnt/x 2>/dev/null && ${attack} /mnt`
      expect(await unprotected(t, script)).toBe('socket=reached\nfifo=reached\n')
    },
  )

  for (const whose of ['project', 'user'] as const)
    test.skipIf(box.missing)(
      `a box can read a ${whose}'s read-only mount, and reaches no program behind it${box.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        using service = await new Service(t, 'home/lib').ready()
        configure(t, [`"${service.folder}:/mnt/lib:ro"`], whose)
        const script = `cat /mnt/lib/file; ${attackIn(t)} /mnt/lib; touch /mnt/lib/new 2>&1 | grep -o 'Read-only'; :`
        if (whose === 'project') {
          const refused = await t.coop(['run', '--', 'true'])
          expect(refused.code).toBe(125)
          expect(refused.stderr).toContain(
            `programs of the host listen in it (${join(service.folder, 'fifo')}`,
          )
        }
        const said = await inBox(t, script, whose === 'project' ? ['--trust'] : [])
        expect(said).toBe('readable\nsocket=Connection refused\nfifo=No such device or address\nRead-only\n')
      },
    )

  test.skipIf(box.missing)(
    `a box does not reach services that start later, in new folders${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const lib = t.folder(join(t.home, 'lib'))
      configure(t, [`"${lib}:/mnt/lib:ro"`], 'user')
      await startBox(t)
      using _ = await new Service(t, 'home/lib/below').ready()
      const script = `cat /mnt/lib/below/file; ${attackIn(t)} /mnt/lib/below`
      const { stdout } = await t.coop(['exec', '-n', 'box', '--', 'sh', '-c', script])
      expect(stdout).toBe('readable\nsocket=Connection refused\nfifo=No such device or address\n')
    },
  )

  test.skipIf(box.missing)(`the box sees changes that the host makes in place${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const file = t.write(join(t.home, 'lib/file'), 'before\n')
    configure(t, ['"~/lib:/mnt/lib:ro"'], 'user')
    await startBox(t)
    const read = async () => (await t.coop(['exec', '-n', 'box', '--', 'cat', '/mnt/lib/file'])).stdout
    expect(await read()).toBe('before\n')
    writeFileSync(file, 'after\n')
    expect(await read()).toBe('after\n')
    t.write(join(t.home, 'lib/new'), 'new\n')
    expect((await t.coop(['exec', '-n', 'box', '--', 'cat', '/mnt/lib/new'])).stdout).toBe('new\n')
  })

  test.skipIf(box.missing)(
    `sockets and fifos themselves, and the folders that are everybody's, are not mounted${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using service = await new Service(t, 'home/lib').ready()
      const link = join(t.home, 'link')
      symlinkSync('/tmp', link)
      symlinkSync(join(service.folder, 'socket'), join(t.home, 'docker.sock'))
      const sources = ['/tmp', '/var/tmp', '/run', '/run/user', '/var', link, `${link}/tmux-0`].concat(
        ['socket', 'fifo'].map((name) => join(service.folder, name)),
        [join(t.home, 'docker.sock')],
      )
      const mounted: string[] = []
      for (const whose of ['project', 'user'] as const) {
        for (const source of sources) {
          configure(t, [`"${source}:/mnt/x:ro"`], whose)
          const run = await t.coop(['run', '--', 'ls', '/mnt/x'])
          if (run.code !== 125 || !/not mounted into boxes|does not exist/.test(run.stderr))
            mounted.push(`${whose}: ${source}`)
        }
        configure(t, [], 'project')
      }
      expect(mounted).toEqual([])
    },
  )

  test.skipIf(box.missing)(`force is refused rather than ignored${box.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    configure(t, ['{ host = "~/lib", target = "/mnt/x", force = true }'], 'user')
    t.folder(join(t.home, 'lib'))
    const run = await t.coop(['run', '--', 'true'])
    expect(run.code).toBe(125)
    expect(run.stderr).toContain('force has no effect in this version of coop')
  })

  test.skipIf(box.missing)(
    `coop warns of a user's writable mount with sockets in it${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      using service = await new Service(t, 'home/lib').ready()
      configure(t, [`"${service.folder}:/mnt/lib"`], 'user')
      const run = await t.coop(['run', '--', 'true'])
      expect(run.code).toBe(0)
      expect(run.stderr).toContain(`programs of the host listen in it (${join(service.folder, 'fifo')}`)
    },
  )
})

// A mount of the host's that others see takes its root.
describe.each(everyone.filter(({ uid }) => uid === 0))('as $name', (invoker) => {
  const box = needed(invoker)

  test.skipIf(box.missing)(
    `a folder with another file system in it is refused, since no overlay would show that${box.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const below = t.folder(join(t.home, 'lib/below'))
      configure(t, ['"~/lib:/mnt/x:ro"'], 'user')
      await t.coop(['system', 'status'])
      const script = `mount -t tmpfs none ${below} && exec "$0" run -- ls /mnt/x`
      const run = await t.run(['unshare', '--mount', 'sh', '-c', script, coopPath()])
      expect(run.code).toBe(125)
      expect(run.stderr).toContain(`another file system is mounted in it, at ${below}`)
    },
  )
})
