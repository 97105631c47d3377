#!/bin/sh
# Signs manifest.txt in a folder with the private key in COOP_RELEASE_KEY, for the workflow: nothing but openssl and node
# itself runs beside the key, and no package of npm. Run it at the top of the repository: sh scripts/release/sign.sh FOLDER
set -eu

manifest=$1/manifest.txt
umask 077
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
printf '%s\n' "$COOP_RELEASE_KEY" >"$private/key.pem"
unset COOP_RELEASE_KEY

# The last 32 bytes of this form are the raw key (RFC 8410).
openssl pkey -in "$private/key.pem" -pubout -outform DER 2>/dev/null | tail -c 32 >"$private/raw"
public=$(base64 -w 0 <"$private/raw")
id=$(sha256sum <"$private/raw" | cut -c 1-16)
# shellcheck disable=SC2016 # the dollars are of JavaScript
PUBLIC=$public ID=$id node -e '
  const { keys, revoked } = JSON.parse(require("fs").readFileSync("package.json", "utf8")).coop
  if (keys.includes(process.env.PUBLIC) && !revoked.includes(process.env.ID)) process.exit(0)
  console.error(`The private key belongs to ${process.env.ID}, which package.json does not name in "keys", or names in "revoked".`)
  process.exit(1)'

openssl pkeyutl -sign -inkey "$private/key.pem" -rawin -in "$manifest" -out "$private/signature"
umask 022
printf '%s %s\n' "$id" "$(base64 -w 0 <"$private/signature")" >"$manifest.sig"
