/** `npm run bench` of root, whose cases run as another user, in a clone that this user cannot enter. */
import { expect, test } from 'bun:test'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { coopPath, repository } from '../harness/coop.ts'
import { ordinary } from '../harness/users.ts'
import { needed } from './support.ts'

const can = needed(ordinary, 'tmux')

test.skipIf(can.missing || process.getuid?.() !== 0)(
  `the cases run from a clone below a closed folder${can.note}`,
  () => {
    const closed = mkdtempSync(join(tmpdir(), 'coop-closed-')) // mode 0700
    try {
      const clone = join(closed, 'clone')
      for (const name of ['src', 'ffi', 'scripts', 'test', 'package.json', 'tsconfig.json', 'bunfig.toml'])
        cpSync(join(repository, name), join(clone, name), { recursive: true })
      symlinkSync(join(repository, 'node_modules'), join(clone, 'node_modules'))
      mkdirSync(join(clone, 'dist'))
      cpSync(coopPath(), join(clone, 'dist/coop'))
      const program = join(closed, 'bun') // also closed to the user
      cpSync(process.execPath, program)
      const { exitCode, stdout, stderr } = Bun.spawnSync([program, 'scripts/bench/main.ts', 'ls'], {
        cwd: clone,
      })
      const said = `${stdout}${stderr}`
      expect({ exitCode, said }).toEqual({ exitCode: 0, said: expect.stringMatching(/^ +coop ls +\d/m) })
      expect(said).not.toContain('could not be measured')
    } finally {
      rmSync(closed, { recursive: true })
    }
  },
)
