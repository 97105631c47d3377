/**
 * A root file system of musl and busybox, without a package of Alpine: Debian has both. It has no libstdc++ for musl,
 * which Bun needs, so Debian's own is put there, with a library that answers for the five functions of glibc that it
 * looks for.
 */
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { worked } from './support.ts'

const GLIBC_PART = `
typedef unsigned long size_t;
long syscall(long, ...);
size_t strftime_l(char *, size_t, const char *, const void *, void *);
unsigned arc4random(void) { unsigned v = 0; syscall(318, &v, sizeof v, 0); return v; }
size_t __strftime_l(char *a, size_t b, const char *c, const void *d, void *e) { return strftime_l(a, b, c, d, e); }
int __cxa_thread_atexit_impl(void (*f)(void *), void *o, void *d) { return 0; }
char __libc_single_threaded = 0;
int _dl_find_object(void *a, void *b) { return -1; }
unsigned __cpu_model[4];
int __cpu_indicator_init(void) { return 0; }
`

export const USER = 1000

/** Makes it in a folder that does not exist, with `coop` in it. Needs apt-get, cc and busybox. */
export async function makeMuslRoot(root: string, coop: string): Promise<void> {
  for (const name of ['bin', 'usr/bin', 'usr/lib', 'etc', 'proc', 'dev', 'sys', 'tmp', 'home/user', 'root'])
    mkdirSync(join(root, name), { recursive: true })
  chmodSync(root, 0o755)
  const debs = join(root, 'tmp')
  await worked(['sh', '-c', 'cd "$0" && apt-get download -qq -o APT::Sandbox::User=root musl', debs])
  await worked(['dpkg', '-x', join(debs, readdirSync(debs)[0] ?? ''), root])
  // The places where Alpine's loader looks; Debian's has others.
  writeFileSync(join(root, 'etc/ld-musl-x86_64.path'), '/lib\n/usr/lib\n')
  const source = join(root, 'tmp/glibc-part.c')
  writeFileSync(source, GLIBC_PART)
  // libstdc++ asks for glibc's loader by this name.
  const library = join(root, 'usr/lib/ld-linux-x86-64.so.2')
  await worked(['cc', '-shared', '-fPIC', '-nostdlib', '-w', '-O1', source, '-o', library])
  for (const name of ['libstdc++.so.6', 'libgcc_s.so.1'])
    copyFileSync(`/usr/lib/x86_64-linux-gnu/${name}`, join(root, 'usr/lib', name))
  copyFileSync(Bun.which('busybox') ?? '', join(root, 'bin/busybox'))
  await worked(['chroot', root, '/bin/busybox', '--install', '-s', '/bin'])
  writeFileSync(
    join(root, 'etc/passwd'),
    `root:x:0:0::/root:/bin/sh\nuser:x:${USER}:${USER}::/home/user:/bin/sh\n`,
  )
  writeFileSync(join(root, 'etc/group'), `root:x:0:\nuser:x:${USER}:\n`)
  chownSync(join(root, 'home/user'), USER, USER)
  copyFileSync(coop, join(root, 'usr/bin/coop'))
  chmodSync(join(root, 'usr/bin/coop'), 0o755)
}

/** Makes the folder the root of a mount and pid namespace, as a container has it, and runs a script there. */
export const inRoot = (root: string, script: string): string[] => [
  ...['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-euc'],
  `mount --make-rprivate /
   mount --bind "$1" "$1"
   cd "$1"
   mount -t proc proc proc
   mount --rbind /dev dev
   mount --rbind /sys sys
   mount -t tmpfs -o mode=1777 tmpfs tmp
   pivot_root . .
   umount -l /
   exec env -i PATH=/bin:/usr/bin HOME=/root /bin/sh -c "$2"`,
  ...['sh', root, script],
]
