/** The browser of the tests notices what must not happen, so that a page without faults is one. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { needs } from '../harness/facts.ts'
import { waitUntil } from '../harness/wait.ts'
import { Chromium } from './browser.ts'

const can = needs('chromium')

describe.skipIf(can.missing)(`the browser of the tests${can.note}`, () => {
  let chromium: Chromium
  let server: Bun.Server<undefined>
  beforeAll(async () => {
    chromium = await Chromium.start()
    const page = (text: string) => new Response(text, { headers: { 'content-type': 'text/html' } })
    server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) => {
        const path = new URL(url).pathname
        if (path === '/icon') return new Response('no', { status: 404 })
        return page(
          '<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><title>A page</title>',
        )
      },
    })
  })
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]()
    await server.stop(true)
  })

  const CASES: readonly [string, RegExp, string][] = [
    [
      'a picture from elsewhere',
      /a request to http:\/\/elsewhere\.example/,
      'new Image().src = "http://elsewhere.example/a.png"',
    ],
    [
      'a request by address',
      /a request to http:\/\/192\.0\.2\.1/,
      'fetch("http://192.0.2.1/").catch(() => {})',
    ],
    ['another port', /a request to http:\/\/127\.0\.0\.1:9/, 'fetch("http://127.0.0.1:9/").catch(() => {})'],
    [
      'a WebSocket elsewhere',
      /a request to ws:\/\/elsewhere\.example/,
      'new WebSocket("ws://elsewhere.example/")',
    ],
    ['an error on the console', /on the console: oh/, 'console.error("oh")'],
    ['an exception', /an uncaught Error: ah/, 'setTimeout(() => { throw new Error("ah") })'],
    ['a rejection', /an uncaught Error: eh/, 'void Promise.reject(new Error("eh"))'],
    ['a missing file', /on the console: .*404/, 'fetch("/icon")'],
  ]
  test('fails a test for each of them', async () => {
    const visitor = await chromium.visit(server.url.origin)
    await visitor.page.goto(server.url.href)
    const missing = () =>
      CASES.filter(([, fault]) => !visitor.faults.some((text) => fault.test(text))).map(([name]) => name)
    for (const [, , script] of CASES) await visitor.page.evaluate(`{ ${script} }`)
    const what = () => `${missing()} among\n${visitor.faults.join('\n')}`
    await waitUntil(() => missing().length === 0, what)
    expect(async () => await visitor[Symbol.asyncDispose]()).toThrow(/saw faults/)
  })

  test('is content with a page that does nothing wrong', async () => {
    await using visitor = await chromium.visit(server.url.origin, { device: 'phone', scheme: 'light' })
    await visitor.page.goto(server.url.href)
    const seen = await visitor.page.evaluate(
      '({ wide: innerWidth, light: matchMedia("(prefers-color-scheme: light)").matches, touch: navigator.maxTouchPoints > 0 })',
    )
    expect(seen).toEqual({ wide: 390, light: true, touch: true })
    expect(visitor.requests).toEqual([server.url.href])
  })
})
