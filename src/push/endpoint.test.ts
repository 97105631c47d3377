import { expect, test } from 'bun:test'
import { checkSubscription, endpointOf } from './endpoint.ts'
import { isPublicAddress } from './public-address.ts'

const rules = { mayConnect: isPublicAddress }
const keys = {
  p256dh: Buffer.from([4, ...Array.from({ length: 64 }, () => 7)]).toString('base64url'),
  auth: Buffer.alloc(16).toString('base64url'),
}

test.each([
  'https://fcm.googleapis.com/fcm/send/abc',
  'https://updates.push.services.mozilla.com/wpush/v2/x',
  'https://web.push.apple.com/Q',
  'https://wns2-par02p.notify.windows.com/w/?token=x',
  'https://push.example.org:8443/x',
  'https://8.8.8.8/x',
  'https://[2606:4700::1111]/x',
])('%s is a push service', (endpoint) => {
  expect(endpointOf(endpoint, rules).href).toBe(endpoint)
  expect(() => checkSubscription({ endpoint, keys }, rules)).not.toThrow()
})

test.each([
  'http://push.example.org/x',
  'file:///etc/passwd',
  'javascript:1',
  'push.example.org',
  '',
  'https://',
  'https://user:word@push.example.org/x',
  'https://localhost/x',
  'https://LOCALHOST./x',
  'https://8888.box.localhost/x',
  'https://router/x',
  'https://printer.local/x',
  'https://nas.lan/x',
  'https://db.internal/x',
  'https://127.0.0.1/x',
  'https://127.1/x',
  'https://2130706433/x',
  'https://0x7f.0.0.1/x',
  'https://0/x',
  'https://192.168.1.1:8443/x',
  'https://169.254.169.254/latest',
  'https://[::1]/x',
  'https://[::ffff:127.0.0.1]/x',
  'https://[fd00::1]/x',
])('%s is none', (endpoint) => {
  expect(() => endpointOf(endpoint, rules)).toThrow("the browser's push service")
})

test.each([
  ['a key of another length', { ...keys, p256dh: Buffer.alloc(64, 4).toString('base64url') }],
  ['a compressed key', { ...keys, p256dh: Buffer.alloc(65, 2).toString('base64url') }],
  ['a short secret', { ...keys, auth: Buffer.alloc(15).toString('base64url') }],
])('%s is refused before it is kept', (_, wrong) => {
  expect(() => checkSubscription({ endpoint: 'https://push.example.org/x', keys: wrong }, rules)).toThrow()
})
