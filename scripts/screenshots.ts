/**
 * Draws the pictures of the page for the docs: real boxes, real keys, and no names or paths of this machine. Prints the
 * size of each; together they stay below 400 kB.
 */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../test/harness/coop.ts'
import { type Scratch, scratch } from '../test/harness/sandbox.ts'
import { ordinary } from '../test/harness/users.ts'
import { type Served, serve } from '../test/harness/web.ts'
import { Chromium, type Visit, type Visitor } from '../test/web/browser.ts'
import { openBox, signIn } from '../test/web/page.ts'

const FOLDER = join(repository, 'docs/pictures')
const MOST = 400_000 // bytes of all pictures

/** A small project with some history. */
const PROJECT = `
cat >shop.py <<'P'
from dataclasses import dataclass


@dataclass
class Item:
    name: str
    price: int  # cents


def total(items: list[Item], discount: float = 0.0) -> int:
    """The price of all items, in cents."""
    return round(sum(item.price for item in items) * (1 - discount))
P
rm make agent
git init -q -b main; git add -A; git commit -qm 'shop: items and their total'
git checkout -qb discounts; echo '# discounts' >>shop.py; git commit -qam 'shop: discounts are rounded once'
git checkout -q main; echo '# The shop' >README; git add -A; git commit -qm 'readme: how to run it'
git merge -q -m 'merge the discounts' discounts
for n in 'cart: keep it for a week' 'cart: tests of the total' 'api: prices in cents'; do
  echo "- $n" >>README; git commit -qam "$n"
done`

/** A shell with a short prompt. */
const SHELL = String.raw`printf '\e[H\e[2J'; exec env PS1='\[\e[34m\]\W\[\e[0m\] $ ' bash --norc`
const ASKS = String.raw`
git --no-pager show --color --format='%n%C(bold)%s%C(reset)%n' discounts -- shop.py | tail -n +1
printf '\n\e[1mApply this change and run the tests?\e[0m\n  1. Yes\n  2. No, and say what to do instead\n\n\a> '
read -r answer; exec bash --norc`
const WORKS = String.raw`for i in $(seq 100000); do printf '\e[32m✓\e[0m test %s passed\n' $i; sleep 0.7; done`

async function makeBox(t: Scratch, name: string, agent: string): Promise<void> {
  const workspace = t.folder(`home/${name}`)
  t.write(join(workspace, 'make'), PROJECT)
  t.write(join(workspace, 'agent'), '')
  const made = await t.run(['sh', 'make'], { cwd: workspace })
  if (made.code !== 0) throw new Error(made.stderr)
  const script = t.write(join(t.home, `.${name}`), agent)
  const mount = ['--mount', `${script}:/opt/agent:ro`]
  const { code, stderr } = await t.coop([
    '-d',
    '-n',
    name,
    '-w',
    workspace,
    ...mount,
    '--agent',
    'bash /opt/agent',
  ])
  if (code !== 0) throw new Error(stderr)
}

let sum = 0

async function shoot({ page }: Visitor, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`)
  await page.screenshot({ path, animations: 'disabled', caret: 'initial', scale: 'css' })
  const { size } = statSync(path)
  sum += size
  console.log(`${name.padEnd(24)}${String(size).padStart(8)} bytes`)
}

async function visit(chromium: Chromium, served: Served, options: Visit): Promise<Visitor> {
  const visitor = await chromium.visit(served.origin, options)
  await signIn(visitor, served)
  return visitor
}

async function desk(chromium: Chromium, served: Served): Promise<void> {
  for (const scheme of ['dark', 'light'] as const) {
    await using visitor = await visit(chromium, served, { scheme })
    const { page } = visitor
    const shown = await openBox(visitor, 'shop')
    await shown.shows('$')
    await shown.focus()
    if (scheme === 'dark') {
      await page.keyboard.press('Control+Shift+D')
      await page.locator('.pane:focus-within', { hasText: '#' }).waitFor()
      await page.keyboard.type('clear; vim -u NONE -c "syntax on" -c "set number" shop.py\n')
      await page.locator('.pane:visible', { hasText: 'dataclass' }).waitFor()
      await page.locator('.pane:visible').first().locator('.xterm-helper-textarea').focus()
      await page.keyboard.type('git log --graph --oneline --all --color\n')
      await shown.shows('items and their total')
      await shoot(visitor, 'page-dark')
    } else {
      const asking = await openBox(visitor, 'cart')
      await asking.shows('2. No')
      await shoot(visitor, 'page-light')
    }
  }
}

async function phone(chromium: Chromium, served: Served): Promise<void> {
  await using visitor = await visit(chromium, served, { device: 'phone', scheme: 'dark' })
  const { page } = visitor
  const asking = await openBox(visitor, 'cart')
  await asking.shows('2. No')
  await shoot(visitor, 'phone-terminal')
  await page.getByRole('button', { name: 'Boxes' }).click()
  await page.locator('.box-item', { hasText: 'shop' }).waitFor()
  await shoot(visitor, 'phone-boxes')
  await using light = await visit(chromium, served, { device: 'phone', scheme: 'light' })
  await light.page.evaluate("location.hash = '#answer=cart'")
  await light.page.locator('.answer-screen').waitFor()
  await shoot(light, 'phone-answer')
}

mkdirSync(FOLDER, { recursive: true })
await using t = await scratch(ordinary)
await makeBox(t, 'shop', SHELL)
await makeBox(t, 'cart', ASKS)
await makeBox(t, 'checkout', WORKS)
const served = await serve(t)
await using chromium = await Chromium.start()
await desk(chromium, served)
await phone(chromium, served)
console.log(`${'together'.padEnd(24)}${String(sum).padStart(8)} bytes`)
if (sum > MOST) throw new Error(`the pictures have more than ${MOST} bytes`)
