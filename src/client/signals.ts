/** Signals to this process that are meant for the program that it runs (`coop run`, `coop exec`). */
import { ignoresSignal } from '../../ffi/signals.ts'

/** The forwarded signals with their numbers (signal(7)), which are the same on both architectures. */
const FORWARDED = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15 } as const

/**
 * Calls `heard` with each of them. Signals that this process was started to ignore stay ignored, as they would for the
 * program itself: by nohup(1), and in the background of a script.
 */
export function onSignals(heard: (signal: number) => void): void {
  for (const [name, signal] of Object.entries(FORWARDED))
    if (!ignoresSignal(signal)) process.on(name, () => heard(signal))
}
