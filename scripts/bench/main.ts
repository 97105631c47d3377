/**
 * Runs the cases, or only those whose name contains one of the arguments. Boxes belong to an ordinary user: as root,
 * this program starts itself again as that user for everything that it times.
 */
import { asInvoker } from '../../test/harness/process.ts'
import { ordinary } from '../../test/harness/users.ts'
import { many, memory } from './boxes.ts'
import { copyForOthers } from './for-others.ts'
import { images } from './images.ts'
import { print } from './measure.ts'
import { checkSecrets } from './secrets.ts'
import { clients, flood, latency } from './terminals.ts'
import { coldRun, list, version, warmRun } from './times.ts'
import { browsers } from './web/browsers.ts'
import { flood as webFlood } from './web/flood.ts'
import { keys } from './web/keys.ts'
import { load } from './web/load.ts'
import { slow } from './web/slow.ts'

const asUser = { version, run: warmRun, cold: coldRun, ls: list, many, latency, flood, clients, images }
const asAnyone = {
  memory,
  'check-secrets': checkSecrets,
  'web-keys': keys,
  'web-load': load,
  'web-flood': webFlood,
  'web-browsers': browsers,
  'web-slow': slow,
}

const isRoot = process.getuid?.() === 0
const AS_USER = '--as-user' // marks the second start
const names = process.argv.slice(2).filter((word) => word !== AS_USER)
const isSecondStart = process.argv.includes(AS_USER)
const wanted = (name: string): boolean => names.length === 0 || names.some((word) => name.includes(word))

if (!isRoot) await runAll(asUser)
else if (Object.keys(asUser).some(wanted)) {
  using copy = await copyForOthers(import.meta.path)
  const command = asInvoker(ordinary, [...copy.command, ...names, AS_USER])
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: ordinary.home, LANG: 'C.UTF-8' }
  const { exited } = Bun.spawn(command, {
    cwd: '/', // the folder of the caller may be closed, too
    env,
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
  })
  process.exitCode = await exited
}
if (!isSecondStart) await runAll(asAnyone)

async function runAll(cases: Readonly<Record<string, () => Promise<void>>>): Promise<void> {
  for (const [name, run] of Object.entries(cases)) {
    if (!wanted(name)) continue
    try {
      await run()
    } catch (error) {
      print(`\n${name}: could not be measured: ${error instanceof Error ? error.message : String(error)}`)
      process.exitCode = 1
    }
  }
}
