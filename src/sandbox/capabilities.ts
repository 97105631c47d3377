// STUB
const K = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  FOWNER: 3,
  FSETID: 4,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  NET_BIND_SERVICE: 10,
  SYS_CHROOT: 18,
  SETFCAP: 31,
}
export const KEPT_CAPABILITIES = Object.keys(K)
const kept = new Set(Object.values(K))
export function boundingDrops(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, i) => i).filter((c) => !kept.has(c))
}
export function capsetStruct(): { header: Uint8Array; data: Uint8Array } {
  let lo = 0,
    hi = 0
  for (const c of kept)
    if (c < 32) lo |= 1 << c
    else hi |= 1 << (c - 32)
  return {
    header: new Uint8Array(new Uint32Array([0x20080522, 0]).buffer),
    data: new Uint8Array(new Uint32Array([lo, lo, 0, hi, hi, 0]).buffer),
  }
}
