/** A timer as a descriptor (timerfd_create(2)). Waiting for it costs nothing each time, unlike a timeout. */
import { CLOCK_MONOTONIC, O_CLOEXEC, O_NONBLOCK } from './abi/constants.ts'
import { must, syscall } from './libc.ts'

/** Open a stopped timer; close-on-exec. */
export function openTimer(): number {
  return must('timerfd_create', undefined, CLOCK_MONOTONIC, O_CLOEXEC | O_NONBLOCK)
}

/** Fire every so many milliseconds (less than a second) from now on; 0 stops the timer. */
export function setTimer(fd: number, milliseconds: number): void {
  const spec = new DataView(new ArrayBuffer(32)) // struct itimerspec: the interval, then the first time
  for (const at of [8, 24]) spec.setUint32(at, milliseconds * 1e6, true)
  syscall('timerfd_settime', fd, 0, new Uint8Array(spec.buffer), 0)
}

const count = new Uint8Array(8)

/** Clear the expirations so far. */
export function clearTimer(fd: number): void {
  syscall('read', fd, count, count.length)
}
