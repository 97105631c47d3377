/** A browser that is signed in hears of an agent that waits, through the push service that it has named. */
import { describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { needs } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { needed, output } from './support.ts'

const ADDRESS = '8.8.4.4' // the daemon posts to addresses of the internet only; this one leads nowhere else in the test
const BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
const PORT = 18_931 // in a network namespace of the test
const ASKS = `until test -e go; do sleep 0.1; done; printf '\\033]7501;state=blocked:app=x:msg=%s\\007' "$(printf 'May I delete it?' | base64)"; read answer`

const root = invokers.find(({ uid }) => uid === 0)
const tools = needs('unshare', 'nsenter', 'ip', 'openssl')

interface Line {
  readonly pushed?: { readonly box: string; readonly state: string; readonly text: string }
  readonly endpoint?: string
  readonly answer?: { readonly refused?: string }
  readonly subscribed?: unknown
  readonly closed?: number
}

describe.skipIf(!root || tools.missing)(`as root${tools.note}`, () => {
  const can = root ? needed(root) : { missing: true, note: '' }
  test.skipIf(can.missing)(
    `a waiting agent is pushed to a browser; addresses of the local network are refused${can.note}`,
    async () => {
      if (!root) throw new Error('only as root')
      await using t = await scratch(root, { git: false })
      const [key, certificate, bundle] = ['key.pem', 'certificate.pem', 'bundle.pem'].map((name) =>
        join(t.root, name),
      )
      if (!key || !certificate || !bundle) throw new Error('no names')
      const made = spawnSync('openssl', [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...[
          '-subj',
          '/CN=push',
          '-addext',
          `subjectAltName=IP:${ADDRESS}`,
          '-keyout',
          key,
          '-out',
          certificate,
        ],
      ])
      expect(made.status).toBe(0)
      writeFileSync(bundle, readFileSync(certificate))
      const script = [
        `ip link set lo up && ip addr add ${ADDRESS}/32 dev lo`,
        `mount --bind ${bundle} ${BUNDLE}`,
        'echo ready && exec sleep infinity',
      ].join(' && ')
      const keeper = t.start(['unshare', '--net', '--mount', '--propagation=private', 'sh', '-c', script])
      await keeper.waitFor(/ready/)
      const keeperPid = keeper.process.pid
      const inside = [
        'nsenter',
        `--net=/proc/${keeperPid}/ns/net`,
        `--mount=/proc/${keeperPid}/ns/mnt`,
        `--wd=${t.workspace}`,
        '--',
      ]
      const coop = async (...args: string[]) => output(await t.run([...inside, coopPath(), ...args]))

      await coop('-d', '-n', 'box', '--agent', `sh -c '${ASKS.replaceAll("'", `'\\''`)}'`)
      const served = await coop('serve', '-d', '--port', `${PORT}`)
      const [, origin = '', token = ''] = /(http:\/\/[\w.:]+)\/#t=([\w-]+)/.exec(served) ?? []
      output(await t.coop(['ls'])) // from outside, the daemon is the one inside
      const file = join(import.meta.dir, 'push-visitor.ts')
      const visitor = t.start([...inside, process.execPath, file, origin, token, ADDRESS, certificate, key])
      const lines = (): readonly Line[] =>
        visitor.stdout
          .split('\n')
          .filter((line) => line.endsWith('}'))
          .map((line) => JSON.parse(line))
      await visitor.waitFor(/"subscribed"/)
      expect(
        lines()
          .filter(({ answer }) => answer)
          .map(({ answer }) => answer?.refused),
      ).toEqual([
        "the browser's push service is not on the internet",
        "the browser's push service is not on the internet",
        "the browser's push service is not on the internet",
        "the browser's push service is no https address",
      ])
      expect(lines().at(-1)).toEqual({ subscribed: null })

      t.write('go', '')
      const begun = performance.now()
      await visitor.waitFor(/"pushed"/, 20_000)
      expect(performance.now() - begun).toBeGreaterThan(4_500)
      const pushed = lines().flatMap(({ pushed }) => pushed ?? [])
      expect(pushed).toEqual([
        expect.objectContaining({ box: 'box', state: 'blocked', text: 'May I delete it?' }),
      ])

      const record = (): string => readFileSync(join(t.dataDir, 'serve.json'), 'utf8')
      expect(record()).toContain(ADDRESS)
      await coop('serve', 'revoke', '--all')
      await visitor.waitFor(/"closed":4401/)
      await waitUntil(() => !record().includes(ADDRESS), 'the subscription to go with its browser')
      await coop('serve', '--stop')
    },
  )
})
