/** What people type out of habit from docker, and what they expect of every command. */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { box, expectRefusal, needed, output, startBox } from './support.ts'

describe.each(invokers.slice(0, 1))('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(`options and commands of docker get a hint${can.note}`, async () => {
    await using t = await scratch(invoker)
    t.folder('home/project/folder')
    for (const [words, hint] of [
      [['run', '-it', 'true'], /-t alone asks for a terminal/],
      [['run', '--rm', 'true'], /always removed/],
      [['run', '-p', '80:80', 'true'], /ports of this machine/],
      [['-v', '/a:/b'], /-m SRC:DST/],
      [['exec', '-m', '/a:/b', 'true'], /-m SRC:DST/],
      [['run', '--volume', '/a:/b', 'true'], /-m SRC:DST/],
      [['ps'], /coop ls/],
      [['rm', 'x'], /coop kill/],
      [['up'], /coop -d\?/],
      [['down'], /coop kill\?/],
      [['ssh'], /coop shell\?/],
      [['claude', '-p', 'hi'], /coop --agent claude; .* coop run claude$/m],
      [['-d', 'codex'], /coop --agent codex;/],
      [['folder'], /coop -w folder$/m],
      [['-d', './folder'], /coop -w \.\/folder$/m],
    ] as const)
      expectRefusal(await t.coop([...words]), {
        code: 2,
        sentence: /there is no|unexpected argument/,
        hint,
      })
    expect(output(await t.coop(['version']))).toBe(output(await t.coop(['--version'])))
  })

  test.skipIf(can.missing)(`a command that is missing in the box gets a hint${can.note}`, async () => {
    await using t = await scratch(invoker)
    await startBox(t, { name: 'one' })
    const missing = async (words: readonly string[], hint: RegExp): Promise<void> => {
      expectRefusal(await t.coop(words), { code: 127, sentence: /there is no such command in the box/, hint })
    }
    await missing(['run', 'ls -la'], /sh -c/)
    await missing(['exec', 'ls|wc'], /sh -c/)
    await missing(['exec', 'one', 'ls'], /coop exec one -- /)
    await missing(['run', 'aider'], /^hint: install it: /m)
    const { code, stderr } = await t.coop(['run', 'nothing-special'])
    expect({ code, stderr }).toEqual({
      code: 127,
      stderr: 'coop: nothing-special: there is no such command in the box\n',
    })
  })

  test.skipIf(can.missing)(
    `a box may stand before the command; several stop at once${can.note}`,
    async () => {
      await using t = await scratch(invoker)
      await startBox(t, { name: 'one' })
      await startBox(t, { name: 'two' })
      await startBox(t, { name: 'three' })
      expect(output(await t.coop(['exec', 'two', '--', 'sh', '-c', 'echo $0 "$@"', 'zero', '--', 'x']))).toBe(
        'zero -- x\n',
      )
      expect(output(await t.coop(['exec', '-n', 'one', 'echo', '--', 'x']))).toBe('-- x\n')
      // A command that has `--` as its first argument is no box, and after `--` nothing is.
      expectRefusal(await t.coop(['exec', 'echo', '--', 'x']), {
        code: 2,
        sentence: /several boxes/,
        hint: /-n|name/,
      })
      expectRefusal(await t.coop(['stop', 'one', 'nowhere']), {
        code: 3,
        sentence: /no box named nowhere/,
        hint: /coop ls/,
      })
      const states = async () =>
        (await Promise.all(['one', 'two', 'three'].map((name) => box(t, name)))).map(({ state }) => state)
      expect(await states()).not.toContain('stopped')
      expect(output(await t.coop(['stop', '-f', 'one', 'two']))).toMatch(
        /one is stopped[\s\S]*two is stopped|two is stopped[\s\S]*one is stopped/,
      )
      expectRefusal(await t.coop(['stop', '--all', 'one']), { code: 2, sentence: /together/, hint: /leave/ })
      output(await t.coop(['stop', '--all', '-f']))
      expect(await states()).toEqual(['stopped', 'stopped', 'stopped'])
      expect(output(await t.coop(['stop', '--all']))).toBe('no box is running\n')
    },
  )
})
