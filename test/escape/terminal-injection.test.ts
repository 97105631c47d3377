/**
 * Typing into a terminal with TIOCSTI, and TIOCLINUX (CVE-2017-5226, CVE-2023-1523).
 *
 * The kernel looks at the low 32 bits of the request only; a filter that compares 64 lets the attack through
 * with other bits in the upper half (CVE-2019-10063). TIOCLINUX acts on virtual consoles, and this machine has
 * none: its control is the kernel's ENOTTY, which shows that the call reached the kernel.
 */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { coopPath } from '../harness/coop.ts'
import { needsAll } from '../harness/facts.ts'
import { scratch } from '../harness/sandbox.ts'
import { answers, compile, everyone, needed, onTerminal, said } from './support.ts'

const INJECT = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/syscall.h>
static void try(const char *name, int fd, unsigned long request, void *argument) {
  printf("%s=%s\\n", name, syscall(SYS_ioctl, fd, request, argument) == 0 ? "OK" : strerrorname_np(errno));
}
int main(void) {
  char letter = 'x', code = 3; // TIOCL_PASTESEL
  int own = open("/dev/tty", O_RDWR);
  try("sti", 0, 0x5412, &letter);
  try("sti-tty", own, 0x5412, &letter);
  try("sti-high", 0, 0x5412 | 1ul << 32, &letter);
  try("sti-sign", 0, 0x5412 | 0xfffffffful << 32, &letter);
  try("sti-top", 0, 0x5412 | 1ul << 63, &letter);
  try("linux", 0, 0x541C, &code);
  try("linux-high", 0, 0x541C | 1ul << 32, &code);
  try("console", 0, 0x541D, 0);
  return 0;
}`

const legacy = (() => {
  try {
    return readFileSync('/proc/sys/dev/tty/legacy_tiocsti', 'utf8').trim() === '1'
  } catch {
    return true // kernels before 6.2 always allow it
  }
})()

describe.each(everyone)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')
  const control = needsAll({
    gcc: !gcc.missing,
    script: Bun.which('script') !== null,
    'dev.tty.legacy_tiocsti=1': legacy,
  })

  test.skipIf(control.missing)(
    `positive control: outside, a program can type letters for the user${control.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('inject', compile(INJECT), 0o755)
      const { stdout } = await t.start(['script', '-qec', './inject', '/dev/null']).finished()
      const tries = answers(stdout.replaceAll('\r', '').replace(/^x+/gm, '')) // typed, and echoed
      expect(tries).toMatchObject({
        sti: 'OK',
        'sti-high': 'OK',
        'sti-sign': 'OK',
        linux: 'ENOTTY',
        'linux-high': 'ENOTTY',
      })
    },
  )

  test.skipIf(gcc.missing)(
    `in a box neither request reaches the kernel, whatever the upper bits are${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('inject', compile(INJECT), 0o755)
      const tries = answers(await onTerminal(t, ['run', '-t', '--', './inject']))
      expect(Object.keys(tries)).toHaveLength(8)
      for (const [name, answer] of Object.entries(tries)) {
        if (name !== 'console') expect({ name, answer }).toEqual({ name, answer: 'EPERM' })
      }
      expect(tries.console).not.toBe('OK')
    },
  )

  test.skipIf(control.missing)(
    `a box that is run from a terminal does not get that terminal${control.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      const own = 'for n in 0 1 2; do readlink /proc/self/fd/$n; done; (: </dev/tty) 2>&1'
      for (const flag of ['-t', '-T']) {
        await t.coop(['ls'])
        const command = `tty; ${coopPath()} run ${flag} -- sh -c '${own}'`
        const shown = said(await t.start(['script', '-qec', command, '/dev/null']).finished()).replaceAll(
          '\r',
          '',
        )
        const [outer = '', ...inner] = shown.split('\n')
        expect(outer).toMatch(/\/dev\/pts\/\d+/)
        // Pipes, or the first terminal of the box's own instance.
        const three = inner.filter((line) => /\/dev\/pts\/|pipe:/.test(line)).join('\n')
        expect(three).toMatch(
          flag === '-t'
            ? /^.*\/dev\/pts\/0\n\/dev\/pts\/0\n\/dev\/pts\/0$/
            : /^.*pipe:\S+\npipe:\S+\npipe:\S+$/,
        )
        if (flag === '-T') expect(shown).toMatch(/\/dev\/tty: No such device/)
      }
    },
  )
})
