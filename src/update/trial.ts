/** Starts a program once before it becomes the installed one. */
import { CoopError } from '../core/errors.ts'

const START_MS = 30_000 // it takes some milliseconds, on a slow machine with a cold disk some seconds

/** Raises E_RELEASE if the program does not start here, or says that it is another release. */
export function tryProgram(path: string, version: string): void {
  let problem: string
  try {
    // Only what a program needs: variables such as LD_PRELOAD would decide about the trial.
    const env = { PATH: '/usr/bin:/bin', HOME: '/' }
    const options = {
      cwd: '/',
      env,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: START_MS,
    } as const
    const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync([path, '--version'], options)
    const said = stdout.toString()
    if (exitCode === 0 && said.startsWith('coop ') && said.slice(5).split(/\s/)[0] === version) return
    const words = (stderr.toString().trim() || said.trim()).slice(0, 300)
    problem =
      exitCode === 0
        ? `it says ${JSON.stringify(words)}`
        : `${signalCode ?? `exit code ${exitCode}`}${words && `: ${words}`}`
  } catch (error) {
    problem = (error as { code?: string }).code ?? String(error)
  }
  throw new CoopError('E_RELEASE', `coop ${version} does not start on this machine (${problem})`, {
    hint: 'nothing was changed; report it with the output of: uname -a',
  })
}
