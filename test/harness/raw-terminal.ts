/** A program in a terminal whose other side are two pipes. */
import { asInvoker } from './process.ts'
import type { Scratch } from './sandbox.ts'
import { waitUntil } from './wait.ts'

/** A terminal without an emulator: the test is its keyboard, and sees and answers what it gets. */
export class RawTerminal implements AsyncDisposable {
  readonly #process: Bun.Subprocess<'pipe', 'pipe', 'inherit'>
  readonly #done: Promise<void>
  shown = ''

  constructor(t: Scratch, script: string) {
    this.#process = Bun.spawn(asInvoker(t.invoker, ['script', '-qfc', script, '/dev/null']), {
      cwd: t.workspace,
      env: { ...t.env },
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    })
    this.#done = this.#read()
  }

  async #read(): Promise<void> {
    for await (const bytes of this.#process.stdout) this.shown += Buffer.from(bytes).toString('latin1')
  }

  type(text: string): void {
    this.#process.stdin.write(text)
    this.#process.stdin.flush()
  }

  async shows(what: string, times = 1): Promise<void> {
    await waitUntil(
      () => this.shown.split(what).length > times,
      () => `${JSON.stringify(what)} in ${JSON.stringify(this.shown)}`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin.end()
    this.#process.kill('SIGKILL')
    await this.#done
  }
}
