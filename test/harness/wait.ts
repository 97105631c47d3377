/** Waits for events, never for time to pass. */

const POLL_MS = 15 // a poll that runs a program costs a few ms; this keeps one core mostly free

/**
 * Waits until the predicate returns something other than undefined, null or false, and returns that. Raises
 * an error with the label, and the predicate's last error, when the deadline passes.
 */
export async function waitUntil<T>(
  predicate: () => T | Promise<T>,
  label: string | (() => string),
  timeoutMs = 10_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs
  let raised: unknown
  for (;;) {
    try {
      raised = undefined
      const value = await predicate()
      if (value !== undefined && value !== null && value !== false) {
        return value as NonNullable<Exclude<T, false>>
      }
    } catch (error) {
      raised = error
    }
    if (performance.now() >= deadline) {
      const what = typeof label === 'string' ? label : label()
      throw new Error(`After ${timeoutMs} ms still waiting for: ${what}`, { cause: raised })
    }
    await Bun.sleep(POLL_MS)
  }
}
