import { expect, test } from 'bun:test'
import { parseIdentity } from './git-identity.ts'

test('name and e-mail are found, and nothing else', () => {
  const text =
    '[core]\n\tname = wrong\n[user]\n\tname = Robin Doe\n\temail=r@example.org # home\n\tsigningkey = X\n[alias]\n\tx = !sh\n'
  expect(parseIdentity(text)).toEqual({ name: 'Robin Doe', email: 'r@example.org' })
})

test("git's ways of writing it", () => {
  expect(parseIdentity('[USER] name = "A \\"B\\" # C"\n')).toEqual({ name: 'A "B" # C' })
  expect(parseIdentity('[user "sub"]\nname = x\n')).toEqual({})
  expect(parseIdentity('[user]\nname = one\nname = two\n')).toEqual({ name: 'two' })
  expect(parseIdentity('')).toEqual({})
})
