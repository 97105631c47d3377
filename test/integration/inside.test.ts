/** A program's view of its box: the workspace, a home of its own, and nothing else of the host's user. */
import { describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, scratch } from '../harness/sandbox.ts'
import { everyone, needed, nothingLeft, output } from './support.ts'

const inside = async (t: Scratch, script: string, ...flags: string[]) =>
  output(await t.coop(['run', ...flags, '--', 'sh', '-c', script]))

describe.each(everyone)('as $name', (invoker) => {
  const can = needed(invoker)

  test.skipIf(can.missing)(
    `files of the workspace belong to the user, inside and out${can.note}`,
    async () => {
      await using t = await scratch(invoker)
      const script =
        'mkdir -p new/folder; echo made >new/folder/file; chmod 640 new/folder/file; ln -s file new/folder/link; echo more >>README.md; stat -c %u:%g README.md new/folder/file'
      expect(await inside(t, script)).toBe('0:0\n0:0\n')
      for (const path of ['new', 'new/folder', 'new/folder/file', 'README.md'])
        expect(statSync(join(t.workspace, path))).toMatchObject({ uid: invoker.uid, gid: invoker.gid })
      expect(statSync(join(t.workspace, 'new/folder/file')).mode & 0o777).toBe(0o640)
      expect(readFileSync(join(t.workspace, 'README.md'), 'utf8')).toBe('# A project\nmore\n')
    },
  )

  test.skipIf(can.missing)(`git works in the workspace, with the user's name${can.note}`, async () => {
    await using t = await scratch(invoker)
    expect(await inside(t, 'git status --porcelain; git log --format=%s')).toBe('First\n')
    await inside(t, 'echo x >x; git add x; git commit -q -m Second')
    expect(output(await t.run(['git', 'log', '-1', '--format=%s by %an <%ae>']))).toBe(
      'Second by Test <test@example.invalid>\n',
    )
    expect(output(await t.run(['git', 'status', '--porcelain']))).toBe('')
  })

  test.skipIf(can.missing)(`a folder that is mounted at two places appears at both${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('data/file', 'x')
    t.settings('[sandbox]\nmounts = ["./data:/one:ro", "./data:/two", "kept:/three", "kept:/four"]\n')
    const script =
      'cat /one/file /two/file; touch /two/new /four/new; ls /one/new /three/new; touch /one/x || echo ro'
    expect(await inside(t, script)).toBe('xx/one/new\n/three/new\nro\n')
  })

  test.skipIf(can.missing)(`a hundred mounts all appear${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const names = Array.from({ length: 100 }, (_, index) => `m${index}`)
    for (const name of names) t.write(`${name}/file`, `${name}\n`)
    const mounts = names.map((name) => `./${name}:/mnt/${name}:ro`)
    t.write('coop.toml', `[sandbox]\nmounts = ${JSON.stringify(mounts)}\n`)
    const paths = names.map((name) => `/mnt/${name}/file`)
    expect(await inside(t, `cat ${paths.join(' ')}`)).toBe(`${names.join('\n')}\n`)
  })

  test.skipIf(can.missing)(`programs find what they expect of a Linux${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script =
      'cp /bin/echo /run/echo; /run/echo runs; ulimit -Sn; test $(ulimit -Hn) -gt 1024 && echo more; setarch -R echo same; mknod whiteout c 0 0 && rm whiteout && echo white'
    expect(await inside(t, script)).toBe('runs\n1024\nmore\nsame\nwhite\n')
  })

  test.skipIf(can.missing)(`the box sees no process of the host${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const pids = await inside(t, 'echo /proc/[0-9]*; echo $$; cat /proc/1/comm')
    expect(pids).toMatch(/^\/proc\/1 \/proc\/\d\n\d\n/)
    expect(await inside(t, `kill -0 ${process.pid} 2>/dev/null; echo $?`)).toBe('1\n')
  })

  test.skipIf(can.missing)(`the box sees neither the home nor other projects${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.write('../.ssh/id_ed25519', 'PRIVATE KEY')
    t.write('../.bash_history', 'secrets')
    t.write('../other/project/file', 'other')
    t.write('../sibling.txt', 'sibling')
    expect(await inside(t, `ls -A ${t.home}; ls -A ${t.root}; find ${t.root} -type f`)).toBe(
      'project\nhome\n',
    )
    expect(await inside(t, 'pwd; cd ..; pwd; ls -A')).toBe(`${t.workspace}\n${t.home}\nproject\n`)
    for (const folder of [t.dataDir, t.configDir, t.runtimeDir, '/root/.bashrc'])
      expect(await inside(t, `test -e ${folder}; echo $?`)).toBe('1\n')
    // Files written beside the workspace stay in the box.
    await inside(t, 'echo x >../beside; echo x >/usr/beside; echo x >/etc/beside')
    for (const path of [join(t.home, 'beside'), '/usr/beside', '/etc/beside'])
      expect(existsSync(path)).toBe(false)
  })

  test.skipIf(can.missing)(
    `a program is root of the box, named coop, with a home of its own${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      expect(await inside(t, 'id -u; id -un; whoami; id -g; echo ~; echo $HOME $USER $LOGNAME; id')).toMatch(
        /^0\ncoop\ncoop\n0\n\/home\/coop\n\/home\/coop coop coop\nuid=0\(coop\) gid=0\(root\)/,
      )
      expect(
        await inside(
          t,
          'echo x >~/file; mkdir -p ~/.config/tool; touch ~/.config/tool/y; ls -A ~ | grep -c file; stat -c %U ~',
        ),
      ).toBe('1\ncoop\n')
      expect(existsSync(join(t.home, 'file'))).toBe(false)
      expect(await inside(t, 'touch /tmp/x /var/tmp/x /usr/local/bin/x /etc/x /opt/x && echo writable')).toBe(
        'writable\n',
      )
    },
  )

  test.skipIf(can.missing)(`[sandbox] user and hostname name the user and the host${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    expect(await inside(t, 'hostname; cat /proc/sys/kernel/hostname; getent hosts $(hostname) | wc -l')).toBe(
      'project-run\nproject-run\n1\n',
    )
    t.write('coop.toml', '[sandbox]\nuser = "robin"\nhostname = "nest"\n')
    expect(await inside(t, 'id -un; echo ~; hostname; getent passwd 0; getent hosts nest | wc -l')).toMatch(
      /^robin\n\/home\/robin\nnest\nrobin:\*:0:0:[^:]*:\/home\/robin:\S+\n1\n$/,
    )
    expect(await inside(t, 'touch ~/x ~robin/y && echo written')).toBe('written\n')
  })

  test.skipIf(can.missing)(`the environment has only configured variables${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    t.settings(
      '[sandbox]\ncaches = "none"\n[env]\nPLAIN = "a b"\nTAKEN = "$FROM_HOST"\nLEFT_OUT = "$NOT_THERE"\n',
    )
    const env = {
      FROM_HOST: 'host value',
      SECRET_TOKEN: 'x',
      EDITOR: 'vi',
      SSH_AUTH_SOCK: '/x',
      LC_TIME: 'C',
    }
    const run = await t.coop(['run', '-e', 'FLAG=1', '--', 'env', '-0'], { env })
    const entries = run.stdout.split('\0').filter(Boolean)
    const names = entries.map((entry) => entry.split('=')[0] ?? '').sort()
    expect(names).toEqual(
      [
        'COOP_BOX',
        'FLAG',
        'HOME',
        'LANG',
        'LC_TIME',
        'LOGNAME',
        'PATH',
        'PLAIN',
        'SHELL',
        'TAKEN',
        'USER',
        'npm_config_prefix',
      ].sort(),
    )
    expect(entries).toContain('PLAIN=a b')
    expect(entries).toContain('TAKEN=host value')
    expect(run.stderr).toMatch(/LEFT_OUT|NOT_THERE/)
    expect(run.stderr).not.toContain('host value')
  })

  test.skipIf(can.missing)(
    `--network none has a loopback that works, and nothing else${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write(
        'loop.py',
        `import socket
server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen()
client = socket.create_connection(server.getsockname()); client.sendall(b'loopback works')
print(server.accept()[0].recv(99).decode())
six = socket.socket(socket.AF_INET6); six.bind(('::1', 0))
for address in ('8.8.8.8', '10.0.0.1', '192.168.0.1'):
    try: socket.create_connection((address, 53), 2); print('reached')
    except OSError as error: print(error.strerror)
`,
      )
      expect(await inside(t, 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "', '--network', 'none')).toBe(
        'lo\n',
      )
      expect(await inside(t, 'python3 loop.py', '--network', 'none')).toBe(
        `loopback works\n${'Network is unreachable\n'.repeat(3)}`,
      )
      t.write('coop.toml', '[network]\nmode = "none"\n')
      expect(await inside(t, 'tail -n +3 /proc/net/dev | wc -l')).toBe('1\n')
      expect(await inside(t, 'readlink /proc/self/ns/net', '--network', 'host')).toBe(
        output(await t.run(['readlink', '/proc/self/ns/net'])),
      )
    },
  )

  test.skipIf(can.missing)(`ordinary tools work${can.note}`, async () => {
    await using t = await scratch(invoker, { git: false })
    const script = `set -e
      echo data | tee /dev/null /dev/shm/x >/dev/null; head -c 8 /dev/urandom | wc -c
      echo hi >/dev/stderr; exec 3<&0; (: >/dev/tty) 2>/dev/null || echo no-tty
      ls /dev/fd/ >/dev/null; test -r /proc/self/status; nproc >/dev/null
      mkfifo /tmp/fifo; (echo through >/tmp/fifo) & cat /tmp/fifo; wait
      ln /tmp/fifo /tmp/hard; flock /tmp/lock true; date >/dev/null; ps >/dev/null
      mktemp >/dev/null; df / >/dev/null; free >/dev/null; uptime >/dev/null; echo done`
    const { stdout, code, stderr } = await t.coop(['run', '--', 'sh', '-c', script])
    expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: '8\nno-tty\nthrough\ndone\n' })
    await nothingLeft(t)
  })

  test.skipIf(can.missing)(
    `[sandbox] mounts brings in folders and files, read-only if so configured${can.note}`,
    async () => {
      await using t = await scratch(invoker, { git: false })
      t.write('../lib/code', 'library\n')
      t.write('../.toolrc', 'settings\n')
      t.settings('[sandbox]\nmounts = ["../lib:/lib-src:ro", "~/.toolrc:~/.toolrc", "cache:~/.cache/x"]\n')
      expect(
        await inside(
          t,
          'cat /lib-src/code ~/.toolrc; echo x >/lib-src/new; echo $?; echo kept >>~/.cache/x/file; stat -c %u ~/.cache/x/file',
        ),
      ).toMatch(/^library\nsettings\n[12]\n0\n$/)
      expect(existsSync(join(t.home, 'lib/new'))).toBe(false)
      expect(await inside(t, 'cat ~/.cache/x/file')).toBe('kept\n')
    },
  )
})
