/** For tests: a browser's side of Web Push, its keys, its subscription, and how it reads what arrives (RFC 8188 and 8291). */
import { createDecipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from 'node:crypto'
import type { PushSubscription } from '../protocol/calls/push.ts'

export class PushReceiver {
  readonly #keys: ECDH = createECDH('prime256v1')
  readonly #secret = randomBytes(16)
  readonly subscription: PushSubscription

  constructor(endpoint: string) {
    const p256dh = this.#keys.generateKeys('base64url')
    this.subscription = { endpoint, keys: { p256dh, auth: this.#secret.toString('base64url') } }
  }

  read(body: Buffer): string {
    const salt = body.subarray(0, 16)
    const length = body[20] ?? 0
    const sender = body.subarray(21, 21 + length)
    const about = Buffer.concat([Buffer.from('WebPush: info\0'), this.#keys.getPublicKey(), sender])
    const input = hkdfSync('sha256', this.#keys.computeSecret(sender), this.#secret, about, 32)
    const derive = (name: string, size: number) =>
      Buffer.from(hkdfSync('sha256', Buffer.from(input), salt, Buffer.from(`${name}\0`), size))
    const decipher = createDecipheriv(
      'aes-128-gcm',
      derive('Content-Encoding: aes128gcm', 16),
      derive('Content-Encoding: nonce', 12),
    )
    const sealed = body.subarray(21 + length)
    decipher.setAuthTag(sealed.subarray(-16))
    const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
    return plain.subarray(0, plain.lastIndexOf(2)).toString()
  }
}
