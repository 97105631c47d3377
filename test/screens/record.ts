/**
 * Makes the recordings beside it: `bun test/screens/record.ts [name…]`, as root, with the programs of `programs.ts`
 * installed. Each program runs as a user of its own in a namespace with another host name and no other processes.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'bun'
import { PROGRAMS, type Program, SIZES } from './programs.ts'

const FOLDER = '/srv/demo'
const USER = 'ada'
const LIMIT_MS = 15_000
const AT_ONCE = 6 // the programs mostly wait

async function record({ name, command, keys = [] }: Program, columns: number, rows: number): Promise<void> {
  const file = `/tmp/recording-${name}-${columns}`
  const environment = [
    ...[
      `HOME=/home/${USER}`,
      `USER=${USER}`,
      'HOSTNAME=box',
      'LANG=C.UTF-8',
      'TERM=xterm-256color',
      'SHELL=/bin/bash',
    ],
    ...[
      'PATH=/usr/bin:/bin:/usr/sbin',
      'PS1=\\u@box:\\w$ ',
      'PAGER=less',
      'COLORTERM=truecolor',
      'LESSHISTFILE=-',
    ],
  ]
  const inner = `stty cols ${columns} rows ${rows}; cd ${FOLDER}; ${command}`
  const asUser = [
    'setpriv',
    `--reuid=${USER}`,
    `--regid=${USER}`,
    '--clear-groups',
    'env',
    '-i',
    ...environment,
  ]
  const script = ['script', '-q', '-f', '-E', 'always', '-c', `bash -c ${quote(inner)}`, file]
  const outer = `hostname box; exec ${[...asUser, ...script].map(quote).join(' ')}`
  await Bun.file(file)
    .delete()
    .catch(() => {})
  const child = Bun.spawn(
    ['unshare', '--fork', '--kill-child', '--pid', '--mount-proc', '--uts', 'sh', '-c', outer],
    {
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'inherit',
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL', // unshare does not react to other signals
    },
  )
  await Bun.sleep(900)
  for (const key of keys) {
    child.stdin.write(key)
    child.stdin.flush()
    await Bun.sleep(180)
  }
  await Bun.sleep(500)
  // The recording of a program that did not end stops there.
  child.kill('SIGKILL')
  await child.exited
  const bytes = await Bun.file(file).bytes()
  const target = join(import.meta.dir, 'recordings', `${name}-${columns}x${rows}.gz`)
  const output = withoutHeader(bytes)
  await Bun.write(target, gzipSync(output, { level: 9 }))
  console.log(name, columns, output.length, Bun.file(target).size)
}

/** `script` adds a first and a last line about itself. */
function withoutHeader(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const end = Buffer.from(bytes).lastIndexOf('\nScript done on ')
  return bytes.subarray(bytes.indexOf(10) + 1, end < 0 ? bytes.length : end)
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

const wanted = Bun.argv.slice(2)
const queue = PROGRAMS.filter(({ name }) => wanted.length === 0 || wanted.includes(name)).flatMap((program) =>
  SIZES.map((size) => ({ program, size })),
)
async function work(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) await record(next.program, ...next.size)
}
await Promise.all(Array.from({ length: AT_ONCE }, work))

const folder = join(import.meta.dir, 'recordings')
const index = [...new Bun.Glob('*.gz').scanSync(folder)].sort().map((name) => {
  const [, program = '', size = ''] = /^(.*)-(\d+x\d+)\.gz$/.exec(name) ?? []
  const bytes = Bun.gunzipSync(readFileSync(join(folder, name))).length
  return `${program.padEnd(16)}${size.padEnd(8)}${String(bytes).padStart(8)} bytes`
})
await Bun.write(join(folder, 'INDEX.txt'), `${index.join('\n')}\n`)
