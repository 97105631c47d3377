/** The time for ages in lists, moved on twice a minute. */
import { signal } from '@preact/signals'

export const now = signal(Date.now())
setInterval(() => {
  now.value = Date.now()
}, 30_000)
