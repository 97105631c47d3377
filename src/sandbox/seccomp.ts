// STUB
export function seccompProgram(_: { arch: string; nested: boolean; ptrace: boolean }): Uint8Array {
  return new Uint8Array([6, 0, 0, 0, 0, 0, 0xff, 0x7f])
}
