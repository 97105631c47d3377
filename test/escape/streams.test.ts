/**
 * Attacks that reach a terminal through pipes, a file, a log or a message. Each is
 * printed by a real box and read as bytes from a real terminal; none may act there. Files and pipes
 * get every byte unchanged: that is the control, which shows that the attacks were sent.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { coopPath } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { everyone, needed, startBox } from './support.ts'
import { arrived, NAMES, onScreen, PROGRAM } from './viewer-attacks.ts'

const END = /ended/
const end = "; echo end''ed"
const BINARY = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 7 + (at >> 8)) & 0xff)

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker, 'script')
  const coop = coopPath()

  test.skipIf(can.missing)(`no attack arrives on a terminal, on any way${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('attacks', PROGRAM)
    t.write('agent.sh', 'cat attacks; exec sleep infinity\n')
    await startBox(t, 'box', 'sh agent.sh')
    const ways: Readonly<Record<string, string>> = {
      'the output of a command that reads a pipe': `echo x | ${coop} run -- cat attacks`,
      'the same in single bytes': `echo x | ${coop} run -- dd if=attacks bs=1 status=none`,
      'errors of a command that writes a file': `${coop} run -- sh -c "cat attacks >&2" >file`,
      'errors of a command that writes a pipe': `${coop} run -- sh -c "cat attacks >&2" | cat`,
      'a command without a terminal': `${coop} run -T -- cat attacks`,
      'its errors': `${coop} run -T -- sh -c "cat attacks >&2"`,
      'exec that reads a pipe': `echo x | ${coop} exec -n box -- cat attacks`,
      'exec without a terminal': `${coop} exec -T -n box -- cat attacks`,
      'a file that is copied to the output': `${coop} cp "box:$PWD/attacks" -`,
      'the log of an agent': `${coop} logs box`,
      'raw output of the log': `${coop} logs --raw box`,
    }
    for (const [way, command] of Object.entries(ways)) {
      const shown = await onScreen(t, `${command}${end}`, END)
      expect({ way, arrived: arrived(shown) }).toEqual({ way, arrived: [] })
    }
  })

  test.skipIf(can.missing)(`files and pipes get every byte${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('attacks', PROGRAM)
    t.write('binary', BINARY)
    await startBox(t)
    const shell = async (script: string): Promise<string> => {
      const { code, stdout, stderr } = await t.run(['bash', '-c', `set -o pipefail; ${script}`])
      expect({ script, code, stderr }).toEqual({ script, code: 0, stderr: '' })
      return stdout
    }
    expect(arrived(await shell(`echo x | ${coop} run -- cat attacks`))).toEqual(NAMES)
    await shell(`${coop} run -- cat <binary >out && cmp binary out`)
    await shell(`cat binary | ${coop} exec -n box -- cat | cmp binary -`)
    await shell(`${coop} exec -n box -- sh -c 'cat binary >&2' 2>out && cmp binary out`)
    await shell(`${coop} exec -n box -- cat binary >>more && ${coop} exec -n box -- cat binary >>more`)
    expect(Buffer.from(readFileSync(join(t.workspace, 'more'))).equals(Buffer.concat([BINARY, BINARY]))).toBe(
      true,
    )
    await shell(`${coop} cp "box:$PWD/binary" - | cmp binary -`)
    // It does not matter whether the other stream is a terminal.
    await onScreen(
      t,
      `cat binary | ${coop} exec -n box -- cat >out2; cmp binary out2 && echo e''qual${end}`,
      END,
    )
    await shell('cmp binary out2')
  })

  test.skipIf(can.missing)(`order is kept when both streams are one terminal${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = 'for i in 1 2 3 4 5 6; do echo o$i; echo e$i >&2; done'
    const shown = await onScreen(t, `echo x | ${coop} run -- sh -c '${script}'${end}`, END)
    expect(shown.replaceAll('\r', '')).toContain(
      [1, 2, 3, 4, 5, 6].flatMap((n) => [`o${n}`, `e${n}`]).join('\n'),
    )
  })

  test.skipIf(can.missing)(
    `messages with words of a repository do not act on a terminal${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const evil = '\\u001b[21t\\u009b21t\\u001b]0;title\\u0007\\u001b[4h'
      const files = [
        `[sandbox]\nimage = "${evil}"\n`,
        `"${evil}" = 1\n`,
        `[sandbox]\nmounts = ["${evil}:/x"]\n`,
        `[sandbox]\nagent = "${evil}"\n`,
      ]
      for (const file of files) {
        t.write('coop.toml', file)
        for (const command of ['config', 'run -- true', '-d'])
          expect(await onScreen(t, `${coop} ${command}${end}`, END)).not.toMatch(
            /\x1b(?!\[[\d;]*[mK])|[\x80-\x9f](?<![\xc2-\xf4][\x80-\xbf]*)|\x07/,
          )
      }
    },
  )
})
