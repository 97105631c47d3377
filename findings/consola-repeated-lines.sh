#!/bin/sh
# consola 3.4.2: of equal messages in quick succession it prints six and keeps the rest back, to print one line with
# their number when another message or a timer comes. A program that ends with process.exit() before that loses them,
# and the note that there were more. A log of ten equal lines has six then, and nothing says so.
#
# What to do: createConsola({ throttle: -1 }) prints each message; or let the event loop run dry instead of exiting.
# Needs node and npm. Ends with 0 while consola does this, with 1 once it does something else.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund consola@3.4.2

cat >log.mjs <<'JS'
import { createConsola } from 'consola'
const [end, throttle] = process.argv.slice(2)
const log = createConsola({ fancy: false, ...(throttle ? { throttle: Number(throttle) } : {}) })
for (let i = 0; i < 10; i++) log.log('equal')
if (end === 'exit') process.exit(0)
JS

count() { grep -c equal || :; }
exited=$(node log.mjs exit | count)
drained=$(node log.mjs drain | tail -n 1)
off=$(node log.mjs exit -1 | count)

echo "consola $(node -p 'require("./node_modules/consola/package.json").version'), node $(node --version)"
echo "ten equal messages, then process.exit(): $exited lines"
echo "ten equal messages, then the loop runs dry, last line: $drained"
echo "ten equal messages with throttle -1, then process.exit(): $off lines"
[ "$exited" = 6 ] && [ "$off" = 10 ] && case $drained in *'repeated 4 times'*) exit 0 ;; esac
echo 'consola behaves in another way now' >&2
exit 1
