/** System calls by name and arguments, made in a box or outside, each in a process of its own. */
import { ABIS, type AnySyscall, abi } from '../../ffi/abi/index.ts'
import type { Scratch } from '../harness/sandbox.ts'
import { answers, compile, inBox, unprotected } from './support.ts'

/** Zeroed memory of the caller: a struct that the kernel may fill, and 4 KiB more. */
export const MEMORY = 'p'
/** A string. */
export const string = (text: string): string => `s${text}`

export type Argument = number | bigint | string

export interface Call {
  /** The prefix of an answer in the output. */
  readonly name: string
  readonly nr: number
  readonly args: readonly Argument[]
}

/** Makes the calls of its arguments, `name=number,argument,...`; prints \`name=OK\`, an error, or a signal. */
const PROGRAM = `
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <sys/wait.h>
static char memory[4096];
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    char *name = argv[i], *list = strchr(name, '=');
    *list++ = 0;
    int status, pid = fork();
    if (pid == 0) {
      long a[7] = {0}, n = 0;
      for (char *word = strtok(list, ","); word && n < 7; word = strtok(0, ","))
        a[n++] = *word == 'p' ? (long)memory : *word == 's' ? (long)(word + 1) : (long)strtoull(word, 0, 0);
      int self = getpid();
      long result = syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
      if (getpid() != self) _exit(0); // a process that the call has made
      const char *error = result < 0 ? strerrorname_np(errno) : "OK";
      char answer[256];
      int length = error ? sprintf(answer, "%s=%s\\n", name, error) : sprintf(answer, "%s=%d\\n", name, errno);
      write(1, answer, length);
      _exit(0);
    }
    waitpid(pid, &status, __WALL);
    if (WIFSIGNALED(status)) printf("%s=signal %d\\n", name, WTERMSIG(status)), fflush(stdout);
  }
  return 0;
}`

/** The number of a call on this architecture, none if it lacks the call. A second call of one name: `call@second`. */
export function call(name: string, ...args: readonly Argument[]): Call[] {
  const known = name.split('@')[0] ?? name
  if (!Object.values(ABIS).some(({ sys }) => known in sys)) throw new Error(`There is no call ${known}`)
  const nr = (abi.sys as Readonly<Partial<Record<AnySyscall, number>>>)[known as AnySyscall]
  return nr === undefined ? [] : [{ name, nr, args }]
}

/** A shell command that puts the program into the workspace and makes the calls. */
export function callsCommand(t: Scratch, calls: readonly Call[]): string {
  t.write('calls', compile(PROGRAM), 0o755)
  const words = calls.map(({ name, nr, args }) => `'${name}=${[nr, ...args].join(',')}'`)
  return `./calls ${words.join(' ')}`
}

type Answers = Record<string, string>

export async function callsInBox(
  t: Scratch,
  calls: readonly Call[],
  options?: readonly string[],
): Promise<Answers> {
  return answers(await inBox(t, callsCommand(t, calls), options))
}

/** Makes the calls as the invoker, on the host. */
export async function callsOutside(t: Scratch, calls: readonly Call[]): Promise<Answers> {
  return answers((await t.run(['sh', '-c', callsCommand(t, calls)])).stdout)
}

/** Makes the calls as root of a user namespace without coop's protections. */
export async function callsUnprotected(t: Scratch, calls: readonly Call[]): Promise<Answers> {
  return answers(await unprotected(t, callsCommand(t, calls)))
}

/** Every call with the same answer, so that a comparison shows all differences at once. */
export const all = (calls: readonly Call[], answer: string): Answers =>
  Object.fromEntries(calls.map(({ name }) => [name, answer]))
