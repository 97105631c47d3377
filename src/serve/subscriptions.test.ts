import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resolvePaths } from '../core/paths.ts'
import { Browsers } from './browsers.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coop-browsers-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (): Browsers => new Browsers(resolvePaths({ COOP_DATA_DIR: folder }, folder))
const subscription = (name: string) => ({
  endpoint: `https://push.example.org/${name}`,
  keys: { p256dh: 'AA', auth: 'AA' },
})
const visitor = { name: 'Chrome on Android', address: '127.0.0.1', readonly: false }

test('subscriptions and the key for push services outlive the daemon', () => {
  const browsers = open()
  const { browser } = browsers.signIn(visitor)
  browsers.setVapid({ publicKey: 'P', privateKey: 'K' })
  browsers.setSubscription(browser.id, subscription('one'))
  const later = open()
  expect(later.vapid).toEqual({ publicKey: 'P', privateKey: 'K' })
  expect([...later.subscriptions]).toEqual([[browser.id, subscription('one')]])
  later.setSubscription(browser.id, undefined)
  expect(open().subscriptions.size).toBe(0)
  expect(open().list).toHaveLength(1)
})

test('a browser that is signed out takes its subscription along, on disk, too', () => {
  const browsers = open()
  const { browser } = browsers.signIn(visitor)
  browsers.setSubscription(browser.id, subscription('one'))
  browsers.revoke(browser.id)
  expect(browsers.subscriptions.size).toBe(0)
  browsers.setSubscription(browser.id, subscription('one')) // a call that was under way
  expect(open().subscriptions.size).toBe(0)
  expect(readFileSync(join(folder, 'serve.json'), 'utf8')).not.toContain('push.example.org')
})

test('one endpoint belongs to the browser that named it last', () => {
  const browsers = open()
  const [one, two] = [browsers.signIn(visitor).browser, browsers.signIn(visitor).browser]
  browsers.setSubscription(one.id, subscription('same'))
  browsers.setSubscription(two.id, subscription('same'))
  expect([...browsers.subscriptions.keys()]).toEqual([two.id])
})
