/** A real registry on loopback, images to fill it with, and false blobs for registries that lie. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { archive, type Fake } from '../../src/image/unpack/testing.ts'
import { hasCommand, type Needs, needsAll } from '../harness/facts.ts'
import { waitUntil } from '../harness/wait.ts'

export const tools: Needs = needsAll({
  root: process.getuid?.() === 0,
  'docker-registry': hasCommand('docker-registry'),
  skopeo: hasCommand('skopeo'),
  umoci: hasCommand('umoci'),
})

export function run(command: readonly string[], cwd = '/'): string {
  const { success, stdout, stderr } = Bun.spawnSync([...command], {
    cwd,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    maxBuffer: 1 << 28,
  })
  if (!success) throw new Error(`${command.join(' ')} failed: ${stderr.toString()}${stdout.toString()}`)
  return stdout.toString()
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

export interface RegistrySettings {
  /** Lines of its configuration below `http:` and beside it. */
  readonly http?: string
  readonly more?: string
}

/** Debian's docker-registry with a folder of its own. */
export class RealRegistry implements AsyncDisposable {
  readonly folder = mkdtempSync('/var/tmp/coop-registry-')
  readonly #settings: RegistrySettings
  #process: ReturnType<typeof Bun.spawn> | undefined
  host = ''

  private constructor(settings: RegistrySettings) {
    this.#settings = settings
  }

  static async start(settings: (folder: string) => RegistrySettings = () => ({})): Promise<RealRegistry> {
    const registry = new RealRegistry({})
    Object.assign(registry.#settings, settings(registry.folder))
    const port = await freePort()
    registry.host = `127.0.0.1:${port}`
    const { http = '', more = '' } = registry.#settings
    const storage = `storage: {filesystem: {rootdirectory: ${registry.folder}/data}}`
    writeFileSync(
      join(registry.folder, 'config.yml'),
      `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n${storage}\nhttp:\n  addr: ${registry.host}\n${http}${more}`,
    )
    registry.#process = Bun.spawn(['docker-registry', 'serve', 'config.yml'], {
      cwd: registry.folder,
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    const answers = async (): Promise<boolean> => {
      try {
        const socket = await Bun.connect({ hostname: '127.0.0.1', port, socket: { data() {} } })
        socket.end()
        return true
      } catch {
        return false
      }
    }
    await waitUntil(answers, 'the registry')
    return registry
  }

  /** Pushes an OCI layout; `options` of skopeo copy. Asynchronous, since the test itself may be the token service. */
  async push(layout: string, name: string, options: readonly string[] = []): Promise<void> {
    const source = ['-q', '--insecure-policy', '--dest-tls-verify=false', ...options, `oci:${layout}`]
    const child = Bun.spawn(['skopeo', 'copy', ...source, `docker://${this.host}/${name}`], {
      cwd: '/',
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    })
    const said = await new Response(child.stderr).text()
    if ((await child.exited) !== 0) throw new Error(`skopeo copy to ${name} failed: ${said}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process?.kill('SIGKILL')
    await this.#process?.exited
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** An OCI layout whose image has these layers: archives, or files that hold one. */
export function layout(
  folder: string,
  layers: readonly (Uint8Array | string | readonly Fake[])[],
  config: readonly string[] = [],
): string {
  const path = join(folder, `layout-${crypto.randomUUID().slice(0, 8)}`)
  mkdirSync(folder, { recursive: true })
  run(['umoci', 'init', '--layout', path])
  run(['umoci', 'new', '--image', `${path}:it`])
  for (const [index, layer] of layers.entries()) {
    const file = typeof layer === 'string' ? layer : join(folder, `layer-${index}.tar`)
    if (typeof layer !== 'string') writeFileSync(file, layer instanceof Uint8Array ? layer : archive(layer))
    run(['umoci', 'raw', 'add-layer', '--image', `${path}:it`, file])
  }
  if (config.length) run(['umoci', 'config', '--image', `${path}:it`, ...config])
  return `${path}:it`
}

/** The blobs of an OCI layout, for registries that lie. */
export function blobsOf(image: string): { manifest: Buffer; blob(digest: string): Buffer } {
  const path = image.slice(0, image.lastIndexOf(':'))
  const blob = (digest: string): Buffer => readFileSync(join(path, 'blobs', digest.replace(':', '/')))
  const index = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')) as {
    manifests: { digest: string }[]
  }
  return { manifest: blob(index.manifests[0]?.digest ?? ''), blob }
}
