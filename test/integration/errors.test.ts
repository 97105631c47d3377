/** Every error names its code, and `coop help` prints the code's section of docs/errors.md. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../harness/coop.ts'
import { scratch } from '../harness/sandbox.ts'
import { invokers, ordinary } from '../harness/users.ts'
import { finalScreen, needed, output, startBox } from './support.ts'

const page = readFileSync(join(repository, 'docs/errors.md'), 'utf8')

describe.each(invokers)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`an error ends with its code, also where coop run fails${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    await startBox(t)
    t.write('coop.toml', 'wrong')
    const failing = [
      [['status', 'nowhere'], 3, 'E_NO_BOX'],
      [['--frobnicate'], 2, 'E_USAGE'],
      [['config'], 2, 'E_CONFIG'],
      [['run', 'true'], 125, 'E_CONFIG'],
      [[], 2, 'E_NO_TERMINAL'],
      [['-d', '-w', '/nowhere'], 1, 'E_WORKSPACE'],
      [['exec', '-n', 'box', '--cwd', '/nowhere', 'true'], 125, 'E_FAILED'],
    ] as const
    for (const [args, code, name] of failing) {
      const failed = await t.coop(args)
      expect({ args, code: failed.code, first: failed.stderr.split('\n')[0] }).toEqual({
        args,
        code,
        first: expect.stringMatching(new RegExp(`^coop: .* \\[${name}\\]$`)),
      })
      // The section says the exit code that the command itself has. Its lines are broken at the terminal's width.
      const text = output(await t.coop(['help', name])).replace(/\s+/g, ' ')
      const [, means = '', exit = ''] = new RegExp(`## ${name}\n\n(.*) Exit code (\\d+)\\.`).exec(page) ?? []
      expect(text).toStartWith(`${name}: ${means.replaceAll('`', '')} What to do: `)
      expect(text).toEndWith(` Exit code: ${exit} `)
      if (code !== 125) expect(Number(exit)).toBe(code)
    }
    const json = await t.coop(['status', 'nowhere', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'E_NO_BOX' } })
    expect(json.stderr).toBe('')
    // As from a shell: the exit code says what it is.
    const missing = await t.coop(['exec', '-n', 'box', 'no-such-program'])
    expect(missing).toMatchObject({ code: 127, stderr: expect.not.stringContaining('[E_') })
  })
})

test('coop help knows every section of docs/errors.md, in small letters, too', async () => {
  await using t = await scratch(ordinary, { git: false })
  const codes = [...page.matchAll(/^## (E_\w+)$/gm)].map(([, code]) => code ?? '')
  expect(codes.length).toBeGreaterThan(15)
  for (const code of codes) expect(output(await t.coop(['help', code]))).toContain('\nWhat to do: ')
  expect(output(await t.coop(['help', 'e_no_box']))).toStartWith('E_NO_BOX: ')
  const wrong = await t.coop(['help', 'E_NO_BOXES'])
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
  expect(wrong.stderr).toMatch(
    /no error code E_NO_BOXES \[E_USAGE\]\nhint: did you mean coop help E_NO_BOX\?\n$/,
  )
  expect(output(await t.coop(['--help']))).toContain('coop help E_CODE')
})

const can = needed(ordinary, 'tmux')
test.skipIf(can.missing)(`a terminal shows the code faintly${can.note}`, async () => {
  await using t = await scratch(ordinary, { git: false })
  const screen = await finalScreen(t, 'status nowhere', { columns: 150, escapes: true })
  expect(screen).toMatch(/nowhere \x1b\[2m\[E_NO_BOX\]/)
})
