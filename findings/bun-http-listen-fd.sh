#!/bin/sh
# Bun 1.4.5: `http.Server.listen({ fd })` with a listening socket that the process has inherited reports "listening" without an
# error, but listens on another port of its own, while `net.Server` of the same release takes the inherited socket. So a server
# that a supervisor starts with its socket (systemd socket activation) looks healthy, and serves nobody who uses that socket.
#
# What to do: compare the port of `server.address()` with the one expected, or take the connections with net.Server.
# Needs node, npm and python3. Ends with 0 while Bun does this, with 1 once it does something else.
set -eu
folder=$(mktemp -d "${HOME:-/root}/bun-finding.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund bun@1.4.5
node node_modules/bun/install.js >/dev/null 2>&1 || true
cat >server.js <<'END'
const kind = process.argv[2]
const make = { http: () => require('node:http').createServer((_, r) => r.end('hello')), net: () => require('node:net').createServer((s) => s.end('hello')) }
const server = make[kind]()
server.on('error', (error) => console.log(`error ${error.code}`))
server.listen({ fd: 3 }, () => console.log(`listening ${server.address()?.port ?? 'without a port'}`))
END
cat >supervisor.py <<'END'
import socket, subprocess, sys
listener = socket.create_server(('127.0.0.1', 0))
port = listener.getsockname()[1]
server = subprocess.Popen(['sh', '-c', f'exec node_modules/.bin/bun server.js {sys.argv[1]} 3<&{listener.fileno()}'],
                          pass_fds=[listener.fileno()], stdout=subprocess.PIPE, text=True)
try:
    said = server.stdout.readline().split()
    print(said[0], 'on the inherited port' if said[1:] == [str(port)] else 'on another port')
finally:
    server.kill()
END
node_modules/.bin/bun --version
net=$(python3 supervisor.py net)
http=$(python3 supervisor.py http)
printf 'net.Server: %s\nhttp.Server: %s\n' "$net" "$http"
[ "$net" = 'listening on the inherited port' ] || exit 1
[ "$http" = 'listening on another port' ] || exit 1
