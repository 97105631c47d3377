/** The size of a terminal's window: one type for the kernel, the protocol and the screen. */
export type { WindowSize } from '../../ffi/abi/structs.ts'
