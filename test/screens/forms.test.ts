/** What terminals take in different ways has one form, for clients that come later and, where that can be, at once. */
import { expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { ordinary } from '../harness/users.ts'
import { waitUntil } from '../harness/wait.ts'
import { box, needed, output } from '../integration/support.ts'

const can = needed(ordinary, 'tmux')
/** Terminals differ about the last two while they see them, and not about the picture that coop draws of them. */
const CASES = [
  ['132 columns clear the screen', true, String.raw`\e[20;1Hstale\e[5;9r\e[?3h\e[2;3Hnew`, '\n  new'],
  ['terminfo clears nothing', true, String.raw`\e[H\e[2Jkept\e[?3;4l\e[2;1Hnew`, 'kept\nnew'],
  ['origin', false, String.raw`\e[H\e[2Jtop\e[?6h\e[4;10rregion\e[?6l\e[2;1Hend`, 'top\nend\n\nregion'],
  ['lines of the graphic set', false, String.raw`\e[H\e[2J\e(0lqk\e(B\e[2;1Hend`, '┌─┐\nend'],
] as const

test.skipIf(can.missing).each(CASES)(`%s${can.note}`, async (_, isLive, drawing, screen) => {
  await using t = await scratch(ordinary, { git: false })
  t.write('draws', `read -r line; printf '${drawing}'; exec sleep 1000`)
  output(await t.coop(['-d', '-n', 'box', '--agent', 'bash draws']))
  const first = await t.coopTerminal(['attach'])
  await waitUntil(async () => (await box(t)).clients === 1, 'the first client')
  await first.keys('Enter')
  await first.waitFor(/new|end/)
  if (isLive) expect((await first.screen()).trimEnd()).toBe(screen)
  const second = await t.coopTerminal(['attach'])
  await second.waitFor(/new|end/)
  expect((await second.screen()).trimEnd()).toBe(screen)
  expect(output(await t.coop(['screen', 'box'])).trimEnd()).toBe(screen)
})
