#!/bin/sh
# Codex 0.171.0: an auth.json that holds an empty JSON object counts as a login. `codex login status` says "Logged in using
# ChatGPT" and ends with 0, although there is no token; an auth.json of zero bytes is an error instead. So a placeholder
# file, as a mount or a template makes one, hides from scripts that nobody has logged in.
#
# What to do: leave auth.json away until there is a login.
# Needs node and npm. Ends with 0 while Codex does this, with 1 once it does something else.
set -eu
folder=$(mktemp -d "${HOME:-/root}/codex-finding.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @openai/codex@0.171.0
codex=$folder/node_modules/.bin/codex
CODEX_HOME=$folder/state
export CODEX_HOME
mkdir "$CODEX_HOME"

status() { "$codex" login status 2>&1 </dev/null && echo "exit 0" || echo "exit $?"; }
none=$(status)
echo '{}' >"$CODEX_HOME/auth.json"
empty=$(status)
"$codex" --version
printf 'without auth.json: %s\nwith {}: %s\n' "$none" "$empty"
case $none in *'Not logged in'*'exit 1') ;; *) exit 1 ;; esac
case $empty in *'Logged in using ChatGPT'*'exit 0') ;; *) exit 1 ;; esac
