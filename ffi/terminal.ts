/** The user's own terminal: raw mode and size (termios(3), ioctl_tty(2)). */
import {
  AT_FDCWD,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_WRONLY,
  TCGETS,
  TCSETSW,
  TIOCGPGRP,
  TIOCGWINSZ,
  TIOCSTI,
} from './abi/constants.ts'
import type { WindowSize } from './abi/structs.ts'
import { attempt, cstring, syscall } from './libc.ts'

const EFAULT = 14
const FIONREAD = 0x541b // asm-generic/ioctls.h
const TERMIOS_SIZE = 64 // bytes; the kernel's struct has 36 on both architectures

/** The terminal's modes as the kernel has them; undefined if `fd` is not a terminal. */
export function getModes(fd: number): Uint8Array | undefined {
  const modes = new Uint8Array(TERMIOS_SIZE)
  return attempt('ioctl', fd, TCGETS, modes) < 0 ? undefined : modes
}

/**
 * Whether this process may read from a terminal: it is in the terminal's foreground, or the terminal is not the one that
 * controls it. In the background, reading stops the whole process group (SIGTTIN, tty_ioctl(4)).
 */
export function isForeground(fd: number): boolean {
  const group = new Int32Array(1)
  if (attempt('ioctl', fd, TIOCGPGRP, new Uint8Array(group.buffer)) < 0) return true
  return group[0] === attempt('getpgid', 0)
}

/** Set modes after all earlier output has been sent. */
export function setModes(fd: number, modes: Uint8Array): void {
  syscall('ioctl', fd, TCSETSW, modes)
}

/** The same modes without processing of input or output, as cfmakeraw(3) makes them. */
export function rawModes(modes: Uint8Array): Uint8Array {
  const raw = Uint8Array.from(modes)
  const view = new DataView(raw.buffer)
  const clear = (offset: number, bits: number): void =>
    view.setUint32(offset, view.getUint32(offset, true) & ~bits, true)
  clear(0, 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000) // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
  clear(4, 0o1) // OPOST
  clear(12, 0o1 | 0o2 | 0o10 | 0o100 | 0o100000) // ISIG ICANON ECHO ECHONL IEXTEN
  clear(8, 0o60 | 0o400) // CSIZE PARENB
  view.setUint32(8, view.getUint32(8, true) | 0o60, true) // CS8
  raw[17 + 6] = 1 // VMIN
  raw[17 + 5] = 0 // VTIME
  return raw
}

/**
 * Modes of a terminal that collects what is typed until the end of a line, and takes `end` for the end of the input. It
 * edits and echoes nothing, and sends no signals.
 */
export function lineModes(raw: Uint8Array, end: number): Uint8Array {
  const modes = Uint8Array.from(raw)
  const view = new DataView(modes.buffer)
  view.setUint32(0, view.getUint32(0, true) | 0o400, true) // ICRNL: Enter ends a line
  view.setUint32(12, view.getUint32(12, true) | 0o2, true) // ICANON
  for (const unused of [2, 3, 11, 16]) modes[17 + unused] = 0 // VERASE VKILL VEOL VEOL2
  modes[17 + 4] = end // VEOF
  return modes
}

/** The number of bytes that a read would return now. */
export function waitingInput(fd: number): number {
  const count = new Int32Array(1)
  return attempt('ioctl', fd, FIONREAD, new Uint8Array(count.buffer)) < 0 ? 0 : (count[0] ?? 0)
}

/** Read the end of input that a terminal with `lineModes` reports. */
export function readLine(fd: number): void {
  attempt('read', fd, new Uint8Array(1), 1)
}

/** Take what waits in the input of a terminal in raw mode, without waiting for more. */
export function takeInput(fd: number): Uint8Array {
  const bytes = new Uint8Array(waitingInput(fd))
  const count = bytes.length ? attempt('read', fd, bytes, bytes.length) : 0
  return bytes.subarray(0, Math.max(0, count))
}

/**
 * Whether the kernel lets this process put bytes into a terminal's input. It looks at that before it reads the byte, so
 * an address without one tells (tiocsti in drivers/tty/tty_io.c): EIO or EPERM if not.
 */
export function mayPutBack(fd: number): boolean {
  return syscall('ioctl', fd, TIOCSTI, 0) === -EFAULT
}

/** Put a byte into a terminal's input as if it was typed. Returns whether the kernel allows that. */
export function putBack(fd: number, byte: number): boolean {
  return attempt('ioctl', fd, TIOCSTI, Uint8Array.of(byte)) >= 0
}

/**
 * Open the terminal a second time for non-blocking writes: the O_NONBLOCK flag belongs to the open file description,
 * which other processes share (open(2)). Returns a negative number if that is not allowed; writes to it then fail.
 */
export function openNonblocking(fd: number): number {
  const flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
  return attempt('openat', AT_FDCWD, cstring(`/proc/self/fd/${fd}`), flags)
}

/** Columns, rows and, where the terminal tells them, pixels; undefined when `fd` is no terminal. */
export function windowSize(fd: number): WindowSize | undefined {
  const size = new Uint16Array(4)
  if (syscall('ioctl', fd, TIOCGWINSZ, new Uint8Array(size.buffer)) < 0) return undefined
  const [rows = 0, columns = 0, width = 0, height = 0] = size
  return width && height ? { columns, rows, width, height } : { columns, rows }
}

/** The path of a terminal, such as `/dev/pts/3`; undefined if `fd` is not one. */
export function terminalName(fd: number): string | undefined {
  if (!getModes(fd)) return undefined
  const link = new Uint8Array(256)
  const n = syscall('readlinkat', AT_FDCWD, cstring(`/proc/self/fd/${fd}`), link, link.length)
  return n > 0 ? Buffer.from(link.subarray(0, n)).toString() : undefined
}
