/**
 * Kinds of sockets. Root of its own network namespace could reach nf_tables, packet and raw
 * sockets (CVE-2022-1015, CVE-2023-32233, CVE-2020-14386); AF_ALG and AF_VSOCK need no rights at all.
 */
import { describe, expect, test } from 'bun:test'
import { scratch } from '../harness/sandbox.ts'
import { invokers } from '../harness/users.ts'
import { all, call, callsInBox, callsUnprotected, MEMORY } from './calls.ts'
import { compile, inBox, needed, unprotected } from './support.ts'

const [STREAM, DGRAM, RAW, SEQPACKET, DCCP, PACKET] = [1, 2, 3, 5, 6, 10]
const [UNIX, INET, INET6, NETLINK, PACKETS, ALG, VSOCK] = [1, 2, 10, 16, 17, 38, 40]
const CLOEXEC = 0o2000000
const UPPER = 1n << 32n

const ORDINARY = [
  ...call('socket@unix', UNIX, SEQPACKET, 0),
  ...call('socket@tcp', INET, STREAM | CLOEXEC, 6),
  ...call('socket@udp6', INET6, DGRAM, 0),
  ...call('socket@udplite', INET, DGRAM, 136), // CPython's tests expect it
  ...call('socket@route', NETLINK, RAW, 0),
  ...call('socketpair', UNIX, STREAM, 0, MEMORY),
]
const REFUSED = {
  EPERM: [
    ...call('socket@raw', INET, RAW, 1),
    ...call('socket@raw6', INET6, RAW, 58),
    ...call('socket@raw-upper', UPPER | BigInt(INET), UPPER | BigInt(RAW), 255),
    ...call('socket@packet-type', INET, PACKET, 0),
  ],
  EAFNOSUPPORT: [
    ...call('socket@packets', PACKETS, RAW, 0x300),
    ...call('socket@packets-datagram', PACKETS, DGRAM, 0),
    ...call('socket@crypto', ALG, SEQPACKET, 0),
    ...call('socket@hypervisor', VSOCK, STREAM, 0),
    // Every other family of current kernels.
    ...[3, 4, 5, 6, 8, 9, 11, 12, 15, 18, 19, 20, 21, 22, 23, 24, 26, 27, 28, 29, 30, 31, 33, 34, 35].flatMap(
      (family) => [
        ...call(`socket@${family}`, family, RAW, 1),
        ...call(`socket@${family}d`, family, DGRAM, 0),
      ],
    ),
    ...[37, 39, 41, 42, 43, 44, 45, 46, 99].flatMap((family) => call(`socket@${family}`, family, STREAM, 0)),
    ...call('socketpair@tipc', 30, STREAM, 0, MEMORY),
  ],
  EPROTONOSUPPORT: [
    ...call('socket@nf_tables', NETLINK, RAW, 12),
    ...call('socket@audit', NETLINK, RAW, 9),
    ...call('socket@uevent', NETLINK, RAW, 15),
    ...call('socket@generic', NETLINK, RAW, 16),
    ...call('socket@xfrm', NETLINK, RAW, 6),
    ...call('socket@sctp', INET, STREAM, 132),
    ...call('socket@l2tp', INET, DGRAM, 115),
  ],
  ESOCKTNOSUPPORT: [...call('socket@dccp', INET, DCCP, 0), ...call('socket@sctp-any', INET6, SEQPACKET, 0)],
}

/** x_tables are changed with setsockopt, on any socket of the network namespace; interfaces by ioctl and routes. */
const CHANGE = `
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <net/if.h>
#include <netinet/in.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
static void say(const char *name, long r) { printf("%s=%s\\n", name, r >= 0 ? "OK" : strerrorname_np(errno)); }
int main(void) {
  static char table[128] = "filter";
  int tcp = socket(AF_INET, SOCK_STREAM, 0), route = socket(AF_NETLINK, SOCK_RAW, 0), on = 1;
  say("x_tables", setsockopt(tcp, IPPROTO_IP, 64, table, sizeof table)); // IPT_SO_SET_REPLACE
  say("mark", setsockopt(tcp, SOL_SOCKET, SO_MARK, &on, sizeof on));
  struct ifreq up = {.ifr_name = "lo"};
  ioctl(tcp, SIOCGIFFLAGS, &up);
  say("interface", ioctl(tcp, SIOCSIFFLAGS, &up));
  struct { struct nlmsghdr h; struct ifinfomsg i; } m = {{sizeof m, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK}, {.ifi_index = 1}};
  struct { struct nlmsghdr h; struct nlmsgerr e; char rest[256]; } answer = {0};
  send(route, &m, sizeof m, 0);
  recv(route, &answer, sizeof answer, 0);
  errno = -answer.e.error;
  say("link", answer.e.error);
  return 0;
}`

const lines = (text: string) => text.trim().split('\n')

describe.each(invokers)('as $name', (invoker) => {
  const gcc = needed(invoker, 'gcc')

  test.skipIf(gcc.missing)(
    `positive control: root of a network namespace can use them${gcc.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('change', compile(CHANGE), 0o755)
      const own = 'unshare --net ./change'
      expect(lines(await unprotected(t, own))).toEqual(
        expect.arrayContaining(['mark=OK', 'interface=OK', 'link=OK']),
      )
      expect(await unprotected(t, own)).not.toContain('x_tables=EPERM')
      const raw = [...call('socket@raw', INET, RAW, 1), ...call('socket@uevent', NETLINK, RAW, 15)]
      expect((await callsUnprotected(t, raw))['socket@uevent']).toBe('OK')
    },
  )

  for (const network of ['host', 'none']) {
    const options = ['--network', network]

    test.skipIf(gcc.missing)(
      `a box has ordinary sockets only, with network ${network}${gcc.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        const calls = [...ORDINARY, ...Object.values(REFUSED).flat()]
        const expected = Object.entries(REFUSED).map(([error, refused]) => all(refused, error))
        expect(await callsInBox(t, calls, options)).toEqual(Object.assign(all(ORDINARY, 'OK'), ...expected))
      },
    )

    test.skipIf(gcc.missing)(
      `a box changes no network with its sockets, with network ${network}${gcc.note}`,
      async () => {
        await using t = await scratch(invoker, { git: false })
        t.write('change', compile(CHANGE), 0o755)
        expect(lines(await inBox(t, './change', options))).toEqual([
          'x_tables=EPERM',
          'mark=EPERM',
          'interface=EPERM',
          'link=EPERM',
        ])
      },
    )
  }
})
