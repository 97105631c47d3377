import { expect, test } from 'bun:test'
import * as k from './abi/constants.ts'
import { Channel } from './channel.ts'
import { socketPair } from './descriptors.ts'
import { INIT_PROTOCOL, NewerInit } from './init-protocol.ts'
import { startZygote } from './native.ts'
import { write } from './pipes.ts'
import { closeDescriptor } from './pty.ts'

/** The greeting of an init: its region, and its protocol unless it is an init of 0.1.0. */
function greeting(protocol?: number): Buffer {
  const words = [0x1000n, 4096n, ...(protocol === undefined ? [] : [BigInt(protocol)])]
  const head = Buffer.alloc(8)
  head.writeUInt32LE(1, 0)
  head.writeUInt32LE(8 * words.length, 4)
  return Buffer.concat([head, Buffer.from(new BigUint64Array(words).buffer)])
}

/** A channel to a peer that sends these bytes and nothing else. */
async function greetedWith(bytes: Buffer, closed: () => void = () => {}): Promise<Channel> {
  const [connection, theirs] = socketPair(k.SOCK_STREAM)
  const [channel, theirChannel] = socketPair(k.SOCK_SEQPACKET)
  write(theirs, bytes)
  try {
    return await Channel.adopt(connection, channel, { close: closed })
  } finally {
    closeDescriptor(theirs)
    closeDescriptor(theirChannel)
  }
}

test('an init of 0.1.0, which says no protocol, speaks the first', async () => {
  const channel = await greetedWith(greeting())
  expect(channel.protocol).toBe(1)
  channel.close()
})

test('an init tells its protocol', async () => {
  const [connection, theirConnection] = socketPair(k.SOCK_STREAM)
  const [channel, theirChannel] = socketPair(k.SOCK_SEQPACKET)
  startZygote(theirConnection, theirChannel)
  const adopted = await Channel.adopt(connection, channel, {})
  expect(adopted.protocol).toBe(INIT_PROTOCOL)
  adopted.close()
})

test('a newer init is not driven', async () => {
  expect(greetedWith(greeting(INIT_PROTOCOL + 1))).rejects.toThrow(NewerInit)
})
