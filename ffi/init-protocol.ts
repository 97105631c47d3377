/**
 * The protocol of native.c's loop: the form of batches and of its answers. An init survives updates of coop and tells
 * its protocol number in its greeting. Raise the number with each change that an older daemon would misunderstand.
 * Before using a feature that only a newer init has, check `Channel.protocol`.
 */
export const INIT_PROTOCOL = 1

const AT_PROTOCOL = 16 // offset in bytes, after the address and the size of the region

/** The protocol number in an init's greeting. The greeting of 0.1.0 ends before that number. */
export const protocolIn = (greeting: Buffer): number =>
  greeting.length >= AT_PROTOCOL + 8 ? Number(greeting.readBigUInt64LE(AT_PROTOCOL)) : 1

const AT_ABILITIES = AT_PROTOCOL + 8
const TELLS_STOPS = 1n

/** Whether an init tells when one of its children stops; older ones send no list of abilities. */
export const tellsStops = (greeting: Buffer): boolean =>
  greeting.length >= AT_ABILITIES + 8 && (greeting.readBigUInt64LE(AT_ABILITIES) & TELLS_STOPS) !== 0n

/** The other side is an init of a newer coop. */
export class NewerInit extends Error {
  constructor(protocol: number) {
    super(`the init speaks protocol ${protocol}, and this coop ${INIT_PROTOCOL}`)
  }
}
