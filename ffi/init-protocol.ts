/**
 * What the loop of native.c understands: the form of batches and of its answers. An init lives on through every update of
 * coop and tells its number in its greeting. Raised with each change that an older daemon would misunderstand; a change
 * that only a newer init has is looked up in `Channel.protocol` before it is used.
 */
export const INIT_PROTOCOL = 1

const AT_PROTOCOL = 16 // bytes: behind the address and the size of the region

/** The init's, by its greeting. That of 0.1.0 ends before the number. */
export const protocolIn = (greeting: Buffer): number =>
  greeting.length >= AT_PROTOCOL + 8 ? Number(greeting.readBigUInt64LE(AT_PROTOCOL)) : 1

/** The other side is an init of a newer coop. */
export class NewerInit extends Error {
  constructor(protocol: number) {
    super(`the init speaks protocol ${protocol}, and this coop ${INIT_PROTOCOL}`)
  }
}
