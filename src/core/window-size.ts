/** The size of a terminal's window, in character cells (struct winsize, ioctl_tty(2)). */
export interface WindowSize {
  readonly columns: number
  readonly rows: number
}
