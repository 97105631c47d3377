// The zygote and the init of every box: one loop that runs batches of syscalls.
//
// No policy lives here: TypeScript decides the calls, their order and their arguments (ffi/batch.ts writes what this
// file reads). The daemon compiles this file when it starts, without a libc: syscall() and the address of errno come in
// as pointers, syscall numbers as NR_* definitions.
//
// The zygote is forked before the daemon loads anything, so this process image is small and holds no secret.
// It clones box inits; they run the same loop, as PID 1 of their box, and never exec (CVE-2019-5736).

typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

typedef i64 (*syscall_fn)(i64, i64, i64, i64, i64, i64, i64);
typedef int *(*errno_fn)(void);

// A batch: struct head, `fds` descriptors on the channel, `ops` of struct op, then the data that they point into.
struct head { u32 size, ops, fds, out, out_len, seq, pad0, pad1; };
struct op { i32 nr; u32 flags; u64 arg[6]; };
struct child { i32 pid, status, ended; };
struct pollfd { i32 fd; short events, revents; };
struct iovec { void *base; u64 len; };
struct msghdr { void *name; u32 namelen, pad; struct iovec *iov; u64 iovlen; void *control; u64 controllen; i32 flags, pad1; };

enum { REF = 0x3f, MAY_FAIL = 0x40, FORK = 0x80, SCOPED = 0x100, SEND = 0x200 };  // struct op.flags
enum { OP_EQUAL = -1, OP_FORGET = -2, OP_SERVE = -3, OP_LISTEN = -4 };                            // struct op.nr: not syscalls
enum { HELLO = 1, REPLY = 2, EXIT = 3, FAIL = 4, STOP = 5, TELLS_STOPS = 1 };     // messages to the daemon: type, length, payload
enum { CONN = 3, CHANNEL = 4, LISTENER = 5, SIGNALS = 6, ENDED = 1, TOLD = 2 };   // fixed descriptors; struct child.ended
enum { MAX_OPS = 2048, MAX_FDS = 250, MAX_CHILDREN = 1024 };
enum { TRIES = 100, EAGAIN_ = 11, EINTR_ = 4, ESTALE_ = 116, SIGCHLD_ = 17, WNOHANG_ = 1, WUNTRACED_ = 2, MSG_NOWAIT = 0x4040, MSG_PLAIN = 0x4000, MSG_WAITALL_ = 0x100, POLLOUT_ = 4 };

static syscall_fn sys_raw;
static errno_fn errno_at;
static char *region;          // batches are read to here; HELLO tells the address for their pointers
static u64 region_size;
static i32 connected, listening, owner_uid, untold;
static struct child children[MAX_CHILDREN];
static i64 results[MAX_FDS + MAX_OPS];
static u64 control[130];      // one SCM_RIGHTS message of at most MAX_FDS descriptors

static i64 sys(i64 nr, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f) {
  i64 r = sys_raw(nr, a, b, c, d, e, f);
  return r == -1 ? -(i64)*errno_at() : r;
}

static void hang_up(void) {
  sys(NR_dup3, 0, CONN, 0x80000, 0, 0, 0);  // close it but keep its number taken: the sockets of the
  sys(NR_dup3, 0, CHANNEL, 0x80000, 0, 0, 0);  // next daemon must not get it before they are moved there
  connected = 0;
  if (!listening) sys(NR_exit_group, 0, 0, 0, 0, 0, 0);  // the zygote and unfinished boxes end with their daemon
}

// Read exactly `size` bytes; 0 if the peer is gone.
static int receive(i32 fd, char *to, u64 size) {
  while (size) {
    i64 n = sys(NR_recvfrom, fd, (i64)to, size, MSG_WAITALL_, 0, 0);
    if (n == -EINTR_) continue;
    if (n <= 0) return 0;
    to += n;
    size -= n;
  }
  return 1;
}

// Send one message of up to three parts. Returns 0 if that would block and `flags` forbid it.
static int tell(u32 type, void *a, u64 a_len, void *b, u64 b_len, void *c, u64 c_len, int flags) {
  u32 frame[2];
  struct iovec iov[4];
  struct msghdr m;
  u64 left = 8 + a_len + b_len + c_len;
  int at = 0;
  frame[0] = type; frame[1] = left - 8;
  iov[0].base = frame; iov[0].len = 8;
  iov[1].base = a; iov[1].len = a_len;
  iov[2].base = b; iov[2].len = b_len;
  iov[3].base = c; iov[3].len = c_len;
  m.name = 0; m.namelen = 0; m.control = 0; m.controllen = 0; m.flags = 0;
  while (connected && left) {
    m.iov = iov + at; m.iovlen = 4 - at;
    i64 n = sys(NR_sendmsg, CONN, (i64)&m, flags, 0, 0, 0);
    if (n == -EINTR_) continue;
    if (n == -EAGAIN_) return 0;
    if (n <= 0) { hang_up(); return 1; }
    left -= n;
    while (at < 4 && (u64)n >= iov[at].len) n -= iov[at++].len;
    if (at < 4) { iov[at].base = (char *)iov[at].base + n; iov[at].len -= n; }
    flags = MSG_PLAIN;  // finish the message, blocking if need be
  }
  return 1;
}

// Send or receive `count` descriptors over the channel; received ones go to `fds`. Returns 0 on failure.
static int pass(i64 nr, i32 channel, i64 *fds, u32 count) {
  char byte = 0;
  struct iovec iov;
  struct msghdr m;
  i32 *list = (i32 *)(control + 2);
  u32 i;
  iov.base = &byte; iov.len = 1;
  m.name = 0; m.namelen = 0; m.iov = &iov; m.iovlen = 1; m.flags = 0;
  m.control = control; m.controllen = (16 + count * 4 + 7) & ~7ull;
  control[0] = 16 + count * 4;
  ((u32 *)control)[2] = 1;  // SOL_SOCKET
  ((u32 *)control)[3] = 1;  // SCM_RIGHTS
  if (nr == NR_sendmsg) for (i = 0; i < count; i++) list[i] = fds[i];
  i64 n = sys(nr, channel, (i64)&m, nr == NR_sendmsg ? MSG_PLAIN : 0x40000000 /* MSG_CMSG_CLOEXEC */, 0, 0, 0);
  if (n != 1) return 0;
  if (nr == NR_recvmsg) {
    if (m.controllen < 16 + count * 4 || control[0] != 16 + count * 4) return 0;
    for (i = 0; i < count; i++) fds[i] = list[i];
  }
  return 1;
}

static struct child *child_of(i32 pid) {
  int i;
  for (i = 0; i < MAX_CHILDREN; i++) if (children[i].pid == pid) return &children[i];
  return 0;
}

// Report unreported exits. If the daemon is behind, the rest follows once it has read (serve).
static void tell_exits(void) {
  int i;
  untold = 0;
  for (i = 0; i < MAX_CHILDREN && !untold; i++)
    if (children[i].pid && children[i].ended == ENDED) {
      if (tell(EXIT, &children[i], 8, 0, 0, 0, 0, MSG_NOWAIT)) children[i].ended = TOLD; else untold = 1;
    }
}

static void reap(void) {
  i32 status;
  i64 pid;
  while ((pid = sys(NR_wait4, -1, (i64)&status, WNOHANG_ | WUNTRACED_, 0, 0, 0)) > 0) {
    struct child *c = child_of(pid);  // none for an orphan of the box
    if (c) c->status = status;
    if (c && (status & 0xff) == 0x7f) tell(STOP, c, 8, 0, 0, 0, 0, MSG_NOWAIT); else if (c) c->ended = ENDED;
  }
  tell_exits();
}

static void hello(void) {
  u64 about[4];
  int i;
  about[0] = (u64)region; about[1] = region_size; about[2] = INIT_PROTOCOL; about[3] = TELLS_STOPS; untold = 0;
  tell(HELLO, about, 32, 0, 0, 0, 0, MSG_PLAIN);
  for (i = 0; i < MAX_CHILDREN; i++)
    if (children[i].pid && children[i].ended) { tell(EXIT, &children[i], 8, 0, 0, 0, 0, MSG_PLAIN); children[i].ended = TOLD; }
}

static void serve(void);

static int same(char *a, char *b, u64 n) {
  while (n--) if (*a++ != *b++) return 0;
  return 1;
}

// Run one batch out of `region`. A forked child stays in this function until it execs, serves or dies.
static void run(struct head *h) {
  struct op *ops = (struct op *)(region + sizeof(struct head));
  i64 *r = results + h->fds, sent[MAX_FDS];
  u32 i, j, sending = 0, forked = 0;
  i32 answer[2];
  struct child *slot = 0;
  for (i = 0; i < h->ops; i++) {
    struct op *o = &ops[i];
    u64 a[6];
    i64 v;
    for (j = 0; j < 6; j++) a[j] = (o->flags >> j & 1) && o->arg[j] < h->fds + i ? (u64)results[o->arg[j]] : o->arg[j];
    if ((o->flags & FORK) && !(slot = child_of(0))) v = -EAGAIN_;
    else if (o->nr == OP_EQUAL) v = same((char *)a[0], (char *)a[1], a[2]) ? 0 : -ESTALE_;
    else if (o->nr == OP_FORGET) { struct child *c = child_of(a[0]); if (c) c->pid = 0; v = 0; }
    else if (o->nr == OP_SERVE) { serve(); v = 0; }
    else if (o->nr == OP_LISTEN) { v = sys(NR_dup3, a[0], LISTENER, 0x80000, 0, 0, 0); listening = v >= 0; owner_uid = a[1]; }
    else for (j = TRIES; (v = sys(o->nr, a[0], a[1], a[2], a[3], a[4], a[5])) == -EAGAIN_ && o->nr == NR_openat2 && --j;);  // renames meanwhile
    r[i] = v;
    if (v < 0 && !(o->flags & MAY_FAIL)) { i++; break; }
    if (o->flags & FORK) {
      if (v == 0) { forked = 1; continue; }
      slot->pid = v; slot->ended = 0;
      i++;
      break;
    }
  }
  if (forked) {  // the last call failed: report which and why, then die
    i32 failure[3];
    failure[0] = h->seq; failure[1] = i - 1; failure[2] = i ? -r[i - 1] : 0;
    tell(FAIL, failure, 12, 0, 0, 0, 0, MSG_PLAIN);
    sys(NR_exit_group, 127, 0, 0, 0, 0, 0);
  }
  int ok = i == 0 || r[i - 1] >= 0 || (ops[i - 1].flags & MAY_FAIL);
  for (j = 0; ok && j < i && sending < MAX_FDS; j++) if ((ops[j].flags & SEND) && r[j] >= 0) sent[sending++] = r[j];
  if (sending) pass(NR_sendmsg, CHANNEL, sent, sending);
  answer[0] = h->seq; answer[1] = i;
  tell(REPLY, answer, 8, r, 8 * i, region + h->out, h->out_len, MSG_PLAIN);
  for (j = 0; j < i; j++) if ((ops[j].flags & SCOPED) && r[j] >= 0) sys(NR_close, r[j], 0, 0, 0, 0, 0);
  for (j = 0; j < h->fds; j++) sys(NR_close, results[j], 0, 0, 0, 0, 0);
}

// Read one batch and run it. Only the daemon can send one; a malformed batch means a broken daemon, so hang up.
static void batch(void) {
  struct head *h = (struct head *)region;
  u64 ops_end;
  if (!receive(CONN, region, sizeof(struct head))) { hang_up(); return; }
  ops_end = sizeof(struct head) + (u64)h->ops * sizeof(struct op);
  if (h->size > region_size || h->ops > MAX_OPS || h->fds > MAX_FDS || ops_end > h->size ||
      (u64)h->out + h->out_len > region_size) { hang_up(); return; }
  if (!receive(CONN, region + sizeof(struct head), h->size - sizeof(struct head))) { hang_up(); return; }
  if (h->fds && !pass(NR_recvmsg, CHANNEL, results, h->fds)) { hang_up(); return; }
  run(h);
  sys(NR_madvise, (i64)region, region_size, 4 /* MADV_DONTNEED: an idle box keeps no page of it */, 0, 0, 0);
}

// A new daemon connects to a box: it must be the same user and outside of the box, where its pid translates to 0.
static void admit(void) {
  u32 cred[3], len = 12;
  u64 second[2];
  i64 channel, fd = sys(NR_accept4, LISTENER, 0, 0, 0x80000 /* SOCK_CLOEXEC */, 0, 0);
  if (fd < 0) return;
  second[0] = 1; second[1] = 0;
  sys(NR_setsockopt, fd, 1, 20 /* SO_RCVTIMEO */, (i64)second, 16, 0);
  if (sys(NR_getsockopt, fd, 1, 17 /* SO_PEERCRED */, (i64)cred, (i64)&len, 0) == 0 && cred[0] == 0 &&
      (i32)cred[1] == owner_uid && pass(NR_recvmsg, fd, &channel, 1)) {
    if (connected) hang_up();
    second[0] = 0;
    sys(NR_setsockopt, fd, 1, 20, (i64)second, 16, 0);
    sys(NR_dup3, fd, CONN, 0x80000, 0, 0, 0);
    sys(NR_dup3, channel, CHANNEL, 0x80000, 0, 0, 0);
    sys(NR_close, channel, 0, 0, 0, 0, 0);
    connected = 1;
    hello();
  }
  sys(NR_close, fd, 0, 0, 0, 0, 0);
}

// The loop. Never returns. Signals stay blocked for good, so the box's root can send none that acts on us.
static void serve(void) {
  struct pollfd p[3];
  u64 mask = 1ull << (SIGCHLD_ - 1), info[16];
  int i;
  listening = 0; connected = 1;  // an unfinished box ends with its daemon
  for (i = 0; i < MAX_CHILDREN; i++) children[i].pid = 0;
  i64 fd = sys(NR_signalfd4, -1, (i64)&mask, 8, 0x80800 /* SFD_CLOEXEC | SFD_NONBLOCK */, 0, 0);
  if (fd != SIGNALS) { sys(NR_dup3, fd, SIGNALS, 0x80000, 0, 0, 0); sys(NR_close, fd, 0, 0, 0, 0, 0); }
  hello();
  for (;;) {
    p[0].fd = SIGNALS; p[1].fd = connected ? CONN : -1; p[2].fd = listening ? LISTENER : -1;
    for (i = 0; i < 3; i++) { p[i].events = 1; p[i].revents = 0; }
    if (untold) p[1].events |= POLLOUT_;
    if (sys(NR_ppoll, (i64)p, 3, 0, 0, 8, 0) < 0) continue;
    if (p[0].revents) { while (sys(NR_read, SIGNALS, (i64)info, 128, 0, 0, 0) > 0); reap(); }
    if (p[1].revents & POLLOUT_) tell_exits();
    if (p[1].revents & ~POLLOUT_) batch();
    if (p[2].revents) admit();
  }
}

// The daemon's watcher: a thread that waits for descriptors, because Bun's event loop accepts only descriptors that it
// reads itself. Epoll's events go to a socket, which wakes the loop. `where`: epoll's number << 32 | the socket's.
static void *watch(void *where) {
  u64 all = ~0ull, events[2 * 64];
  i64 n;
  sys(NR_rt_sigprocmask, 2 /* SIG_SETMASK */, (i64)&all, 0, 8, 0, 0);
  for (;;) {
    n = sys(NR_epoll_pwait, (i64)where >> 32, (i64)events, 64, -1, 0, 8);
    if (n > 0) sys(NR_sendto, (u32)(i64)where, (i64)events, n * EPOLL_EVENT_SIZE, MSG_PLAIN, 0, 0);
  }
}

typedef int (*thread_fn)(u64 *thread, void *attributes, void *(*run)(void *), void *argument);  // pthread_create(3)
i32 start_watcher(syscall_fn call, errno_fn err, thread_fn create, u64 where) {
  u64 thread;
  sys_raw = call; errno_at = err;
  return create(&thread, 0, watch, (void *)where);
}

// Fork the zygote, which talks over `conn` and `channel`. Returns its pid or -errno. `size`: bytes for batches.
i64 start_zygote(syscall_fn call, errno_fn err, i32 conn, i32 channel, u64 size) {
  u64 all = ~0ull, action[4];
  i64 pid, i;
  sys_raw = call; errno_at = err; region_size = size;
  region = (char *)sys(NR_mmap, 0, size, 3, 0x22 /* MAP_PRIVATE | MAP_ANONYMOUS */, -1, 0);
  pid = sys(NR_clone, SIGCHLD_, 0, 0, 0, 0, 0);
  if (pid != 0) return pid;
  sys(NR_rt_sigprocmask, 2 /* SIG_SETMASK */, (i64)&all, 0, 8, 0, 0);
  for (i = 0; i < 4; i++) action[i] = 0;  // SIG_DFL: the runtime's handlers must not run in a fork of it
  for (i = 1; i <= 64; i++) sys(NR_rt_sigaction, i, (i64)action, 0, 8, 0, 0);
  sys(NR_dup3, conn, 100, 0, 0, 0, 0);     // away from their final numbers
  sys(NR_dup3, channel, 101, 0, 0, 0, 0);
  sys(NR_dup3, 100, CONN, 0x80000, 0, 0, 0);
  sys(NR_dup3, 101, CHANNEL, 0x80000, 0, 0, 0);
  sys(NR_close_range, 5, 0xffffffff, 0, 0, 0, 0);
  pid = sys(NR_openat, -100, (i64)"/dev/null", 2, 0, 0, 0);  // instead of the daemon's own streams
  for (i = 0; i < 3; i++) sys(NR_dup3, pid, i, 0, 0, 0, 0);
  sys(NR_close, pid, 0, 0, 0, 0, 0);
  serve();
  return 0;
}
