import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { coopPath } from './coop.ts'
import type { Scratch } from './sandbox.ts'

/** Coop on a host whose /etc belongs to the test: a mount namespace with a copy. */
export class OtherHost implements Disposable {
  readonly etc: string
  readonly #keeper: Bun.Subprocess<'ignore', 'pipe', 'ignore'>

  private constructor(etc: string, keeper: Bun.Subprocess<'ignore', 'pipe', 'ignore'>) {
    this.etc = etc
    this.#keeper = keeper
  }

  static async make(): Promise<OtherHost> {
    const etc = `/var/tmp/coop-etc-${crypto.randomUUID()}`
    cpSync('/etc', etc, { recursive: true, verbatimSymlinks: true })
    const script = `mount --bind ${etc} /etc && echo ready && exec sleep infinity`
    const command = ['unshare', '--mount', '--propagation=private', 'sh', '-c', script]
    const keeper = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
    await keeper.stdout.getReader().read()
    return new OtherHost(etc, keeper)
  }

  /** Replaces a file as NetworkManager and timedatectl do. */
  replace(name: string, text: string): void {
    writeFileSync(join(this.etc, 'fresh'), text, { mode: 0o644 })
    renameSync(join(this.etc, 'fresh'), join(this.etc, name))
  }

  /** Makes a file with these permissions, in a folder with those. */
  file(
    name: string,
    text: string,
    { mode, folder, gid = 0 }: { mode: number; folder: number; gid?: number },
  ): void {
    const path = join(this.etc, name)
    mkdirSync(dirname(path), { recursive: true })
    rmSync(path, { force: true })
    writeFileSync(path, text)
    chownSync(path, 0, gid)
    chmodSync(path, mode)
    if (dirname(path) === this.etc) return
    chownSync(dirname(path), 0, gid)
    chmodSync(dirname(path), folder)
  }

  zone(name: string): void {
    symlinkSync(`/usr/share/zoneinfo/${name}`, join(this.etc, 'fresh'))
    renameSync(join(this.etc, 'fresh'), join(this.etc, 'localtime'))
  }

  async coop({ invoker: { uid, gid }, env, workspace }: Scratch, ...args: string[]): Promise<string> {
    const enter = ['nsenter', `--mount=/proc/${this.#keeper.pid}/ns/mnt`, `--wd=${workspace}`]
    const ids =
      uid === 0 ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--inh-caps=-all']
    const child = Bun.spawn([...enter, ...ids, coopPath(), ...args], {
      env: { ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [stdout, stderr] = [
      await new Response(child.stdout).text(),
      await new Response(child.stderr).text(),
    ]
    if ((await child.exited) !== 0) throw new Error(stderr)
    return stdout
  }

  [Symbol.dispose](): void {
    this.#keeper.kill('SIGKILL')
    rmSync(this.etc, { recursive: true, force: true })
  }
}
