import { describe, expect, test } from 'bun:test'
import { CoopError } from '../core/errors.ts'
import { splitWords } from './words.ts'

describe('splitWords', () => {
  const cases: [string, string[]][] = [
    ['sleep infinity', ['sleep', 'infinity']],
    ['  a\t b\nc ', ['a', 'b', 'c']],
    ['sh -c \'echo "two words"; exit 3\'', ['sh', '-c', 'echo "two words"; exit 3']],
    ['a "b \\"c\\" \\n \\\\" d', ['a', 'b "c" \\n \\', 'd']],
    ["pre'mid dle'post", ['premid dlepost']],
    ['one\\ word \\"', ['one word', '"']],
    ['\'\' ""', ['', '']],
    ['$HOME ~ *.ts', ['$HOME', '~', '*.ts']],
    ['', []],
  ]
  for (const [line, words] of cases) {
    test(`reads ${JSON.stringify(line)}`, () => expect(splitWords(line)).toEqual(words))
  }

  for (const line of ["echo 'x", 'echo "x', 'echo "x\\"', 'echo \\']) {
    test(`refuses ${JSON.stringify(line)}`, () => expect(() => splitWords(line)).toThrow(CoopError))
  }
})
