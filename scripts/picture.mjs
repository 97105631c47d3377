/**
 * Records the first five minutes of a new user: real keys and the real dist/coop in a real terminal (tmux).
 *
 *     node scripts/picture.mjs           write docs/first-minutes.svg
 *     node scripts/picture.mjs --check   fail when coop prints something else than the picture shows
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PICTURE = join(ROOT, 'docs/first-minutes.svg')
const SHOWN_HOME = '/home/you' // as long as the real one, so that lines break in the same places
const TIMEOUT_MS = 20_000
const [COLUMNS, ROWS] = [80, 30]
const [CHARACTER, LINE, MARGIN] = [8.4, 19, 16] // pixels

/** Each step: the keys, and the pattern of the screen afterwards. Keys in brackets have tmux's names. */
const STEPS = /** @type {const} */ ([
  ['coop', /#$/],
  ['echo "made in the box" > note', /note\n.*#$/],
  ['[C-]]', /detached.*\n\$$/],
  ['cat note', /made in the box\n\$$/],
  ['coop ls', /MEMORY\n.*\n\$$/],
  ['coop run -- uname -s', /Linux\n\$$/],
  ['coop kill my-app', /kill my-app\n(?:.*\n)?\$$/],
])

/** What differs from run to run. @param {string} text @param {string} home */
const settled = (text, home) =>
  text
    .replaceAll(home, SHOWN_HOME)
    .replace(/^(my-app .*?)\d+s( +)[\d.]+[KMG]$/m, '$15s$24.1M')
    .replace(/\n{2,}/g, '\n')
    .trim()

/** @param {string} home @returns {Promise<string>} */
async function record(home) {
  const workspace = join(home, 'my-app')
  for (const folder of ['my-app', 'bin', 'r']) mkdirSync(join(home, folder), { mode: 0o700 })
  const coop = process.env.COOP ?? join(ROOT, 'dist/coop')
  writeFileSync(join(home, 'bin/coop'), `#!/bin/sh\nexec ${coop} "$@"\n`, { mode: 0o755 })
  const env = {
    PATH: `${join(home, 'bin')}:/usr/bin:/bin`,
    HOME: home,
    LANG: 'C.UTF-8',
    PS1: '$ ',
    HISTFILE: '', // otherwise the ending shell writes into the removed folder
    COOP_RUNTIME_DIR: join(home, 'r'),
  }
  const options = { env, cwd: workspace, encoding: /** @type {const} */ ('utf8') }
  const tmux = (/** @type {string[]} */ ...words) =>
    execFileSync('tmux', ['-S', join(home, 'tmux'), '-f', '/dev/null', ...words], options)
  const screen = () => tmux('capture-pane', '-p', '-S', '-', '-t', 'main').replace(/\s+$/, '')
  try {
    const shell = ['env', '-u', 'TMUX', '-u', 'TMUX_PANE', 'PS1=$ ', 'bash', '--norc', '--noprofile', '-i']
    tmux('new-session', '-d', '-s', 'main', '-x', `${COLUMNS}`, '-y', `${ROWS}`, ...shell)
    /** @param {RegExp} pattern @param {string} after */
    const shows = async (pattern, after) => {
      const until = Date.now() + TIMEOUT_MS
      while (!pattern.test(screen())) {
        if (Date.now() > until) throw new Error(`after ${after} the screen is\n${screen()}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    await shows(/^\$$/, 'the start') // keys before the prompt would be shown twice
    for (const [keys, pattern] of STEPS) {
      const name = /^\[(.+)\]$/.exec(keys)?.[1]
      if (name) tmux('send-keys', '-t', 'main', name)
      else tmux('send-keys', '-t', 'main', '-l', keys)
      if (!name) tmux('send-keys', '-t', 'main', 'Enter')
      await shows(pattern, keys)
    }
    return settled(screen(), home)
  } finally {
    for (const words of [
      ['kill', '--all', '-f'],
      ['system', 'shutdown'],
    ])
      try {
        execFileSync(coop, words, { ...options, stdio: 'ignore' })
      } catch {
        // There is none.
      }
    tmux('kill-server')
  }
}

/** @param {string} text */
const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

/** @param {string} text */
function drawn(text) {
  const lines = text.split('\n')
  const width = COLUMNS * CHARACTER + 2 * MARGIN
  const height = lines.length * LINE + 2 * MARGIN
  const rows = lines.map((line, row) => {
    const kind = /^\[?coop:|^\[| ends it|^ /.test(line) ? 'coop' : /[$#] ./.test(line) ? 'typed' : 'plain'
    return `<text class="${kind}" x="${MARGIN}" y="${MARGIN + (row + 0.75) * LINE}">${escaped(line)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>The first minutes with coop, as a terminal shows them</title>
<style>
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d0d0d0; white-space: pre; }
.coop { fill: #8fbcbb; } .typed { fill: #ffffff; }
</style>
<rect width="100%" height="100%" rx="8" fill="#1d2027"/>
${rows.join('\n')}
</svg>
`
}

const home = mkdtempSync('/tmp/').replace(/\/$/, '')
let picture = ''
try {
  // mkdtemp appends six characters; the shown name has four after /tmp/.
  const short = home.slice(0, SHOWN_HOME.length)
  mkdirSync(short, { mode: 0o700 })
  try {
    picture = drawn(await record(short))
  } finally {
    rmSync(short, { recursive: true, force: true, maxRetries: 8 }) // the daemon is still ending
  }
} finally {
  rmSync(home, { recursive: true, force: true })
}
if (process.argv.includes('--check')) {
  if (picture !== readFileSync(PICTURE, 'utf8')) {
    console.error(`coop prints something else than ${PICTURE} shows:\n${picture}`)
    process.exitCode = 1
  }
} else writeFileSync(PICTURE, picture)
