import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { SOURCES, skeletonSources } from './skeleton-sources.ts'

const text = (name: string): string => readFileSync(join(import.meta.dir, '..', name), 'utf8')

test('the digest covers every file whose values the contents of a skeleton depend on', () => {
  const imports = [...text('sandbox/host-skeleton.ts').matchAll(/^import (?!type)[^']*from '([^']+)'/gm)]
  const names = imports.map(([, path = '']) => normalize(join('sandbox', path)))
  expect(names).toContain('sandbox/box-programs.ts')
  expect(names.filter((name) => !SOURCES.includes(name))).toEqual([])
})

test('the digest is a constant of the bundle, and not of the machine that runs it', () => {
  expect(skeletonSources()).toMatch(/^[0-9a-f]{16}$/)
  expect(text('plan/skeleton.ts')).toContain("skeleton-sources.ts' with { type: 'macro' }")
})
