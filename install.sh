#!/bin/sh
# shellcheck disable=SC2015,SC2016,SC2317 # A && B || C; dollars for another shell; functions in a function
{ # A download that was cut off lacks the last brace. A shell then finds a syntax error and runs nothing at all.

# Installs coop:    curl -fsSL ADDRESS/install.sh | sh
# Another release:  curl -fsSL ADDRESS/install.sh | COOP_VERSION=0.2.0 sh
# Removes coop:     curl -fsSL ADDRESS/install.sh | sh -s -- --uninstall
#
#   COOP_BASE_URL   where releases are, in place of the address below
#   COOP_VERSION    the release to install, also an older one (default: the newest)
#   COOP_BIN_DIR    the folder for the executable (default: ~/.local/bin)
#
# It needs curl or wget (of busybox, too), sha256sum or shasum or openssl, zstd or gzip, and no root. Proxies and
# certificates are those of curl and wget: https_proxy, CURL_CA_BUNDLE, ~/.curlrc, ~/.wgetrc.
#
# It writes these files and no others: coop and a temporary folder in COOP_BIN_DIR; completions for bash, zsh and fish
# and a man page in their folders of your home; after a yes, one or two lines of your shell's startup file; and
# releases/installed in coop's data folder, if a signature was checked: an older list of releases is then refused.

# The next three lines are made from package.json. Keys are raw Ed25519 keys in base64.
COOP_RELEASES=''
COOP_KEYS=''
COOP_REVOKED=''

coop_installer() {
  # Zsh then splits words and runs traps as other shells do.
  [ -z "${ZSH_VERSION-}" ] || emulate sh
  set -u
  umask g-w,o-w # nobody else may write in the folders that it makes
  LC_ALL=C
  export LC_ALL # messages of programs are searched for words, and ranges like 0-9 mean ASCII
  unset CDPATH IFS
  exec </dev/null # programs must not read what comes after this script in the pipe

  mark="Written by coop's install.sh, which also removes it."
  line_mark="# added by coop's install.sh"

  ## Words for people

  say() { printf '%s\n' "$*"; }
  note() { printf 'note: %s\n' "$*" >&2; }

  # fail SENTENCE FIX: ends the script.
  fail() {
    printf 'coop: %s%s\nhint: %s\n' "$1" "${unchanged-}" "$2" >&2
    exit 1
  }

  # Removes what could move the cursor or change colours from the words of a program or server.
  plain() { tr '\n' ' ' | tr -d '\000-\037\177' | cut -c 1-300; }

  has() { command -v "$1" >/dev/null 2>&1; }

  # There is somebody to ask: the output is a terminal, and the process has one to read from.
  can_ask() { { [ -t 1 ] || [ -t 2 ]; } && (exec </dev/tty) 2>/dev/null; }

  # agrees QUESTION DEFAULT
  agrees() {
    printf '%s ' "$1" >/dev/tty
    answer=
    read -r answer </dev/tty || answer=n
    case ${answer:-$2} in
      [Yy] | [Yy][Ee][Ss]) return 0 ;;
    esac
    return 1
  }

  usage() {
    say "Usage: install.sh [OPTIONS]

Installs coop, or replaces it by the newest release.

Options:
      --yes        ask nothing: add coop to the PATH of your shell, or end
                   boxes that run before coop is removed
      --uninstall  remove coop; asks before your boxes and images go
      --purge      with --uninstall: also remove boxes, images and settings,
                   without asking
  -h, --help       show this help

Variables: COOP_VERSION, COOP_BIN_DIR, COOP_BASE_URL"
  }

  ## Facts about this machine

  find_folders() {
    [ -n "${HOME-}" ] || fail 'HOME is not set' 'set HOME to your home folder'
    bin=${COOP_BIN_DIR:-$HOME/.local/bin}
    case $bin in
      /*) ;;
      *)
        fix="COOP_BIN_DIR=\"\$PWD/$bin\""
        # Shells leave a ~ in quotes as it is.
        case $bin in \~/*) fix="COOP_BIN_DIR=\"\$HOME/${bin#??}\"" ;; esac
        fail "COOP_BIN_DIR must be an absolute path, not $(printf %s "$bin" | plain)" "$(printf %s "$fix" | plain)"
        ;;
    esac
    case $bin in
      *:* | *'
'*) fail 'the name of COOP_BIN_DIR has a colon or a newline, which PATH cannot have' 'choose another folder' ;;
    esac
    while [ "$bin" != "${bin%/}" ]; do bin=${bin%/}; done
    # As coop itself finds them (XDG base directory specification): relative paths do not count.
    case ${XDG_DATA_HOME-} in /*) data_home=$XDG_DATA_HOME ;; *) data_home=$HOME/.local/share ;; esac
    case ${XDG_CONFIG_HOME-} in /*) config_home=$XDG_CONFIG_HOME ;; *) config_home=$HOME/.config ;; esac
    case ${COOP_DATA_DIR-} in /*) data=$COOP_DATA_DIR ;; *) data=$data_home/coop ;; esac
    bash_completion=${BASH_COMPLETION_USER_DIR:-$data_home/bash-completion}/completions/coop
    zsh_completion=$data_home/zsh/site-functions/_coop
    fish_completion=$config_home/fish/completions/coop.fish
    man_page=$HOME/.local/share/man/man1/coop.1
  }

  # Sets `target`, as a manifest names this machine.
  find_target() {
    [ "$(uname -s)" = Linux ] ||
      fail "coop runs on Linux, and this is $(uname -s)" 'install it in a Linux machine or virtual machine'
    case $(uname -m) in
      x86_64 | amd64) cpu=x64 loader=x86_64 glibc='/lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' ;;
      aarch64 | arm64) cpu=arm64 loader=aarch64 glibc='/lib/ld-linux-aarch64.so.1 /lib64/ld-linux-aarch64.so.1' ;;
      *) fail "coop has no release for $(uname -m) processors" 'it runs on x86_64 and aarch64' ;;
    esac
    has_glibc=
    for file in $glibc; do [ ! -e "$file" ] || has_glibc=yes; done
    target=linux-$cpu
    if [ -e "/lib/ld-musl-$loader.so.1" ]; then
      # A system may have both: Debian's musl package, or Alpine's gcompat. Its own ldd says which is the main one.
      if [ -z "$has_glibc" ] || ldd --version 2>&1 | grep -qi musl; then target=$target-musl; fi
    elif [ -z "$has_glibc" ]; then
      fail "this system has neither glibc nor musl for $cpu, which coop needs" \
        "a 64-bit userland has one of: $glibc /lib/ld-musl-$loader.so.1"
    fi
  }

  # Bun's executables use these instructions from their first moment: without them they die of SIGILL.
  check_processor() {
    case $cpu-$(grep -c -w -m 1 sse4_2 /proc/cpuinfo 2>/dev/null) in
      x64-0) fail 'coop needs a processor with SSE4.2, as made since 2009, and this one lacks it' 'install coop on another machine' ;;
    esac
  }

  # Sets `tool`, which downloads.
  find_tools() {
    if has curl; then
      tool=curl
    elif has wget; then
      tool=wget
      case $(wget --version 2>&1) in *"GNU Wget"*) tool=gnu-wget ;; esac
    elif has busybox && busybox wget --help >/dev/null 2>&1; then
      tool=busybox-wget
    else
      fail 'there is neither curl nor wget to download with' 'install one of them with the package manager of your system'
    fi
    if has sha256sum; then
      hasher=sha256sum
    elif has shasum; then
      hasher=shasum
    elif has openssl; then
      hasher=openssl
    elif has busybox && busybox sha256sum /dev/null >/dev/null 2>&1; then
      hasher=busybox
    else
      fail 'there is neither sha256sum nor shasum nor openssl to check a download with' 'install coreutils or openssl'
    fi
    packings=''
    ! has zstd || packings=zstd
    ! has gzip || packings="$packings gzip"
    [ -n "$packings" ] ||
      fail 'there is neither zstd nor gzip to unpack with' 'install one of them with the package manager of your system'
  }

  digest() {
    case $hasher in
      sha256sum) sha256sum <"$1" ;;
      shasum) shasum -a 256 <"$1" ;;
      openssl) openssl dgst -sha256 -r <"$1" ;;
      busybox) busybox sha256sum <"$1" ;;
    esac 2>/dev/null | cut -d ' ' -f 1
  }

  size_of() { if [ -f "$1" ]; then wc -c <"$1" | tr -d ' '; else echo 0; fi; }

  ## Downloads

  small_seconds=120

  # fetch NAME FILE MOST [progress]: NAME is below the base address; FILE gets at most MOST bytes.
  fetch() {
    url=$base/$1
    rm -f "$2"
    # From an https address only another one may be followed.
    schemes='=https'
    case $base in http:*) schemes='=http,https' ;; esac
    # All small files come in a minute or two; of an archive at least 4 KiB in each second.
    slowest=4096 most='' within=''
    if [ "$3" -le 1048576 ]; then
      slowest=1 most="--max-time $small_seconds"
      # In the foreground Ctrl+C reaches the program; busybox has no such option, and does not need it.
      for words in timeout 'timeout --foreground'; do ! $words 9 true 2>/dev/null || within="$words $small_seconds"; done
    fi
    if [ "${4-}" = progress ] && [ -t 2 ]; then
      get "$url" "$2" "$3" shown && code=0 || code=$?
      problem="$tool ended with code $code"
    else
      problem=$(get "$url" "$2" "$3" quiet 2>&1) && code=0 || code=$?
    fi
    problem=$(printf %s "$problem" | plain)
    got=$(size_of "$2")
    [ "$got" -le "$3" ] || fail "$url is larger than the $3 bytes that it should have" 'tell whoever runs that server'
    [ "$code" -eq 0 ] || fetch_failed
  }

  # The limit keeps a server from filling the disk; it counts pieces of 512 or 1024 bytes.
  get() (
    ulimit -f $(($3 / 512 + 1)) 2>/dev/null
    case $tool-$4 in
      curl-quiet) with_curl -sS "$1" "$2" ;;
      curl-shown) with_curl --progress-bar "$1" "$2" ;;
      gnu-wget-quiet) with_wget -nv "$1" "$2" ;;
      gnu-wget-shown) with_wget '-q --show-progress' "$1" "$2" ;;
      wget-*) $within wget -q -O "$2" "$1" ;;
      busybox-wget-*) $within busybox wget -q -O "$2" "$1" ;;
    esac
  )

  # A cache on the way must not answer with the release of last week; a connection without data for a minute is dead.
  # shellcheck disable=SC2086 # `most` is two words, or none
  with_curl() {
    curl "$1" -fL -H 'cache-control: no-cache' --proto "$schemes" --connect-timeout 30 \
      --speed-limit "$slowest" --speed-time 60 $most -o "$3" "$2"
  }
  # shellcheck disable=SC2086 # the first word may be two options
  with_wget() { $within wget $1 --no-cache --tries=2 --timeout=60 -O "$3" "$2"; }

  fetch_failed() {
    ! is_full "$problem" || disk_is_full
    case $tool-$code in
      curl-23 | gnu-wget-3) # the file cannot be written, and they do not always say why
        head -c 65536 /dev/zero 2>/dev/null >"$work/room" || disk_is_full
        fail "${tool#gnu-} cannot write below $bin ($problem)" \
          'a curl of snap may not write in hidden folders: install that of the system, or set COOP_BIN_DIR to another folder'
        ;;
    esac
    [ -n "$problem" ] || problem="$tool ended with code $code"
    [ "$got" -eq 0 ] || fail "the download of $url was cut off ($problem)" 'try again'
    case "$tool-$code $problem" in
      curl-22*404* | *' 404'*)
        case $url in
          */manifest.txt) fail "there is no release ${wanted:+$wanted }at $base" "check ${wanted:+COOP_VERSION and }the address of the releases, which has latest/download/manifest.txt below it" ;;
          */manifest.txt.sig) fail 'the release is not signed' "do not install it, and tell whoever runs $base" ;;
        esac
        fail "$url is not there" "try again later; if it stays, tell whoever runs $base"
        ;;
    esac
    fail "$url could not be downloaded ($problem)" \
      'check the connection; curl and wget take proxies from https_proxy, and curl takes certificates from CURL_CA_BUNDLE'
  }

  is_full() {
    case $1 in *'No space left'* | *'quota exceeded'*) return 0 ;; esac
    return 1
  }

  disk_is_full() {
    fail "the disk is full at $bin" 'free about 200 MB there, or set COOP_BIN_DIR to a folder on another disk'
  }

  # check_file FILE WHAT SIZE DIGEST
  check_file() {
    got=$(size_of "$1")
    [ "$got" -ge "$3" ] || fail "$2 has $got bytes instead of $3: the download was cut off" 'try again'
    [ "$got" -eq "$3" ] || fail "$2 has $got bytes instead of $3" 'try again, or from another network'
    [ "$(digest "$1")" = "$4" ] ||
      fail "$2 is not the file that the release names: its SHA-256 differs" \
        'it was changed on the server or on its way; try again, or from another network'
  }

  ## The manifest and its signature

  is_number() {
    case $1 in '' | 0* | *[!0-9]* | ???????????*) return 1 ;; esac
  }
  is_digest() {
    case $1 in *[!0-9a-f]*) return 1 ;; esac
    [ ${#1} -eq 64 ]
  }
  is_key_id() {
    case $1 in *[!0-9a-f]*) return 1 ;; esac
    [ ${#1} -eq 16 ]
  }
  number='(0|[1-9][0-9]{0,8})'
  identifier="($number|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
  semver="$number(\\.$number){2}(-$identifier(\\.$identifier)*)?"
  is_version() {
    case $1 in *[!0-9A-Za-z.-]*) return 1 ;; esac
    [ ${#1} -le 64 ] && printf '%s\n' "$1" | grep -Eq "^$semver\$"
  }
  day='(0[1-9]|[12][0-9])'
  is_time() {
    case $1 in *[!0-9TZ:-]*) return 1 ;; esac
    printf '%s\n' "$1" | grep -Eq "^[0-9]{4}-((0[13578]|1[02])-($day|3[01])|(0[469]|11)-($day|30)|02-$day)T([01][0-9]|2[0-3])(:[0-5][0-9]){2}Z\$" || return 1
    case $1 in *-02-29T*) ;; *) return 0 ;; esac
    year=1${1%%-*} # the digit in front keeps it from being octal, and changes no remainder below
    [ $((year % 4)) -eq 0 ] && { [ $((year % 100)) -ne 0 ] || [ $((year % 400)) -eq 0 ]; }
  }

  # older A B: A comes before B (semver.org, 11).
  older() {
    one=$1 other=$2 pre_one='' pre_other=''
    case $one in *-*) pre_one=${one#*-} one=${one%%-*} ;; esac
    case $other in *-*) pre_other=${other#*-} other=${other%%-*} ;; esac
    one=$one. other=$other.
    while [ -n "$one" ] && [ -n "$other" ]; do
      a=${one%%.*} b=${other%%.*} one=${one#*.} other=${other#*.}
      [ "$a" -eq "$b" ] || { [ "$a" -lt "$b" ] && return 0 || return 1; }
    done
    [ -n "$pre_one" ] || return 1 # a final release is the newest of its number
    [ -n "$pre_other" ] || return 0
    one=$pre_one. other=$pre_other.
    while [ -n "$one" ] && [ -n "$other" ]; do
      a=${one%%.*} b=${other%%.*} one=${one#*.} other=${other#*.}
      [ "$a" != "$b" ] || continue
      case $a in *[!0-9]*) a_is_word=yes ;; *) a_is_word='' ;; esac
      case $b in *[!0-9]*) b_is_word=yes ;; *) b_is_word='' ;; esac
      case $a_is_word-$b_is_word in
        -) [ "$a" -lt "$b" ] && return 0 || return 1 ;;
        -yes) return 0 ;; # numbers come before words
        yes-) return 1 ;;
        *) expr "x$a" \< "x$b" >/dev/null && return 0 || return 1 ;;
      esac
    done
    [ -z "$one" ] && [ -n "$other" ]
  }

  # signed_by KEY FILE SIGNATURE: asks openssl, with the key in the form of RFC 8410.
  signed_by() {
    {
      echo '-----BEGIN PUBLIC KEY-----'
      echo "MCowBQYDK2VwAyEA$1"
      echo '-----END PUBLIC KEY-----'
    } 2>/dev/null >"$work/key.pem" || disk_is_full
    printf '%s\n' "$3" | openssl base64 -d -A >"$work/signature" 2>/dev/null &&
      openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$2" -sigfile "$work/signature" >/dev/null 2>&1
  }

  # Finds out with a known signature whether this openssl can check one: those before 3.0 cannot, nor can LibreSSL.
  can_check_signatures() {
    has openssl || return 1
    example_key=VPnjacSWlXTtlwnIpZx61OjjmXOPRV0T+F82XD2zu6s=
    example=kh2bRM1OFOrlZBDw6CJJ4ufo+eCk3N/loRNsJHbX7w6bqDIfu3xeyear2uZAieXhxp5YjbH2SZqdfXDMvUAHAg==
    # Without room for these a signature would seem to be none that can be checked.
    {
      printf 'coop-release 1\n' >"$work/right" && printf 'coop-release 2\n' >"$work/wrong" &&
        head -c 64 /dev/zero >"$work/signature"
    } 2>/dev/null || disk_is_full
    signed_by "$example_key" "$work/right" "$example" && ! signed_by "$example_key" "$work/wrong" "$example"
  }

  # Sets `signer` to the id of the key that signed the manifest; leaves it empty when that cannot be checked. Returns 1
  # for a wrong signature the first time.
  check_signature() {
    signer=
    if [ -z "$COOP_KEYS" ]; then
      note 'this install.sh has no keys, so the signature is not checked: trust in the checksums is trust in the server'
      return 0
    fi
    if ! can_check_signatures; then
      note 'the signature is not checked: that needs openssl 3.0 or newer. Checksums are, but they come from the same server'
      return 0
    fi
    fetch "$where/manifest.txt.sig" "$work/manifest.txt.sig" 4096
    wrong='' revoked_signer='' stranger=''
    # All lines have the one form that coop reads. The last digit before == has spare bits: only one spelling counts.
    if grep -Eqv '^[0-9a-f]{16} [A-Za-z0-9+/]{85}[AQgw]==$' "$work/manifest.txt.sig" ||
      [ "$(tr -d '\000' <"$work/manifest.txt.sig" | wc -c)" -ne "$got" ] || [ -n "$(tail -c 1 "$work/manifest.txt.sig")" ]; then
      fail 'the signature of the release cannot be read' "tell whoever runs $base"
    fi
    while read -r id signature; do
      case " $revoked " in *" $id "*) revoked_signer=$id && continue ;; esac
      stranger=$id
      for key in $COOP_KEYS; do
        printf '%s\n' "$key" | openssl base64 -d -A 2>/dev/null >"$work/raw-key" || disk_is_full
        [ "$(digest "$work/raw-key" | cut -c 1-16)" = "$id" ] || continue
        stranger=
        if signed_by "$key" "$work/manifest.txt" "$signature"; then
          signer=$id
          return 0
        fi
        wrong=$id
      done
    done <"$work/manifest.txt.sig"
    dont="do not install it, and tell whoever runs $base"
    [ -z "$wrong" ] || [ -n "$last_try" ] || return 1
    [ -z "$wrong" ] || fail "the signature of the release is wrong: manifest.txt is not what key $wrong signed" "$dont"
    [ -z "$revoked_signer" ] || fail "the release is signed with key $revoked_signer, which was revoked" "$dont"
    [ -z "$stranger" ] || fail "the release is signed with key $stranger, which this install.sh does not know" \
      "get the newest install.sh from where you found coop; if it says the same, $dont"
    fail 'the signature of the release is empty' "$dont"
  }

  # Refuses what coop refuses (src/release/manifest.ts): a list that two programs read in two ways could mean one thing to
  # whoever signs it and another here.
  check_lines() {
    [ "$(tr -d '\000-\011\013-\037\177' <"$manifest" | wc -c)" -eq "$(size_of "$manifest")" ] || unreadable
    # UTF-8 without U+0080 to U+009F, byte by byte (Unicode, table 3-7).
    c='[\200-\277]'
    utf8="[ -~]|\\302[\\240-\\277]|[\\303-\\337]$c|\\340[\\240-\\277]$c|[\\341-\\354\\356\\357]$c$c"
    utf8="$utf8|\\355[\\200-\\237]$c|\\360[\\220-\\277]$c$c|[\\361-\\363]$c$c$c|\\364[\\200-\\217]$c$c"
    # shellcheck disable=SC2059 # printf makes the bytes
    utf8=$(printf "$utf8")
    ! grep -Eqv "^($utf8)*\$" "$manifest" || unreadable
    facts='coop-release|version|commit|time|kernel|revoked|binary|archive|man'
    word='[a-z0-9][a-z0-9-]{0,31}' file='[1-9][0-9]{0,9} [0-9a-f]{64}' name='[A-Za-z0-9][A-Za-z0-9._-]{0,127}'
    form="version $semver|commit [0-9a-f]{40}|time [^ ]+|kernel [1-9][0-9]{0,2}\\.[0-9]{1,3}|revoked [0-9a-f]{16}"
    form="$form|binary $word $file|archive $word (zstd|gzip) $file $name|man $file $name"
    # Facts that begin with other words are those of a later coop.
    ! sed 1d "$manifest" | grep -Ev "^($form)\$" | grep -Eq "^($facts)?( |\$)" || unreadable
  }

  unreadable() { fail 'manifest.txt of the release cannot be read' "$broken"; }

  # once WORD LIST: LIST does not have it yet.
  once() { case " $2 " in *" $1 "*) unreadable ;; esac }

  # Reads the manifest after its signature was checked; all values are checked before anything uses them.
  read_manifest() {
    manifest=$work/manifest.txt
    broken="tell whoever runs $base"
    IFS= read -r text <"$manifest" || text=''
    case $text in
      'coop-release 1') ;;
      'coop-release '[1-9]*) fail 'the release has a form that this install.sh does not know' "get the newest install.sh from $base" ;;
      *) fail "$base/$where/manifest.txt does not describe a release" 'check the address of the releases; a login page may be in between' ;;
    esac
    [ -z "$(tail -c 1 "$manifest")" ] || fail 'manifest.txt of the release was cut off' 'try again'
    check_lines
    version='' time='' kernel='' newly_revoked='' man_size='' singles='' binaries='' archives=''
    while read -r fact a b c d e; do
      case $fact in version | commit | time | kernel | man) once "$fact" "$singles" && singles="$singles $fact" ;; esac
      case $fact in
        version) version=$a ;;
        time) time=$a ;;
        kernel) kernel=$a ;;
        revoked) case " $newly_revoked " in *" $a "*) ;; *) newly_revoked="$newly_revoked $a" ;; esac ;;
        man) man_size=$a man_digest=$b man_name=$c && [ "$a" -le 1048576 ] || unreadable ;;
        binary) once "$a" "$binaries" && binaries="$binaries $a" && [ "$b" -le 1073741824 ] || unreadable ;;
        archive) once "$a/$b/$e" "$archives" && archives="$archives $a/$b/$e" && [ "$c" -le 1073741824 ] || unreadable ;;
      esac
    done <"$manifest"
    for fact in version commit time kernel; do case " $singles " in *" $fact "*) ;; *) unreadable ;; esac done
    [ ${#version} -le 64 ] && is_time "$time" && [ -n "$binaries" ] || unreadable
    for one in $archives; do
      of=${one%%/*}
      case " $binaries " in *" $of "*) ;; *) unreadable ;; esac
      case $one in "$of/zstd/coop-$version-$of.zst" | "$of/gzip/coop-$version-$of.gz") ;; *) unreadable ;; esac
    done
    for of in $binaries; do case "$archives" in *" $of/"*) ;; *) unreadable ;; esac done
  }

  # Sets sizes and digests of what this machine needs.
  choose_files() {
    # The first packing that both the release and this machine have.
    for packing in $packings; do
      archive=coop-$version-$target.gz
      [ "$packing" = gzip ] || archive=coop-$version-$target.zst
      archive_size='' archive_digest='' binary_size='' binary_digest=''
      while read -r fact a b c d e; do
        case "$fact $a" in
          "binary $target") binary_size=$b binary_digest=$c ;;
          "archive $target") [ "$b $e" != "$packing $archive" ] || archive_size=$c archive_digest=$d ;;
        esac
      done <"$work/manifest.txt"
      [ -z "$archive_size" ] || break
    done
    [ -n "$binary_size" ] && [ -n "$archive_size" ] ||
      fail "coop $version has nothing for $target that can be unpacked with $packings" 'choose another release with COOP_VERSION'
    is_number "$binary_size" && is_digest "$binary_digest" && is_number "$archive_size" && is_digest "$archive_digest" ||
      fail 'manifest.txt of the release cannot be read' "$broken"
  }

  check_kernel() {
    have=$(uname -r)
    major=${have%%.*} minor=${have#*.}
    minor=${minor%%[!0-9]*}
    [ "$major" -gt "${kernel%.*}" ] || { [ "$major" -eq "${kernel%.*}" ] && [ "${minor:-0}" -ge "${kernel#*.}" ]; } ||
      fail "coop $version needs Linux $kernel or newer, and this is $have" 'update the kernel of this machine'
  }

  ## What earlier releases said: coop update keeps it in releases/seen, this script in releases/installed

  read_seen() {
    seen_time='' seen_version='' revoked=$COOP_REVOKED signers=''
    if [ -f "$data/releases/seen" ]; then
      json=$(tr -d ' \n' <"$data/releases/seen" 2>/dev/null)
      if are_trusted "$(list signers)"; then
        note_seen "$(member time)" "$(member newest)"
        revoke "$(list revoked)"
      fi
    fi
    [ -f "$data/releases/installed" ] || return 0
    are_trusted "$(sed -n 's/^signer //p' "$data/releases/installed")" || return 0
    while read -r fact a b; do
      case $fact in
        newest) note_seen "$a" "$b" ;;
        revoked) revoke "$a" ;;
      esac
    done <"$data/releases/installed"
  }

  # are_trusted KEYIDS: what a stolen key has signed does not count, such as a year in which nothing would be newer.
  are_trusted() {
    for id in $1; do case " $COOP_REVOKED " in *" $id "*) return 1 ;; esac done
    for id in $1; do ! is_key_id "$id" || signers="$signers $id"; done
  }

  revoke() { for id in $1; do ! is_key_id "$id" || revoked="$revoked $id"; done; }

  list() { printf %s "$json" | sed -n 's/.*"'"$1"'":\[\([^]]*\)\].*/\1/p' | tr '",' '  '; }
  member() { printf %s "$json" | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }

  # note_seen TIME VERSION: keeps the newest.
  note_seen() {
    is_time "$1" && is_version "$2" || return 0
    [ -n "$seen_time" ] && [ "$(digits "$1")" -le "$(digits "$seen_time")" ] || seen_time=$1 seen_version=$2
  }

  # Only a signed manifest is remembered: another could name a year in which no release would ever be newer.
  write_seen() {
    [ -n "$signer" ] || return 0
    [ -n "$wanted" ] || note_seen "$time" "$version"
    (
      umask 077
      mkdir -p "$data/releases" && {
        [ -z "$seen_time" ] || printf 'newest %s %s\n' "$seen_time" "$seen_version"
        for id in $revoked $newly_revoked; do printf 'revoked %s\n' "$id"; done | sort -u
        for id in $signers $signer; do printf 'signer %s\n' "$id"; done | sort -u
      } >"$data/releases/installed.$$" && mv -f "$data/releases/installed.$$" "$data/releases/installed"
    ) 2>/dev/null || note "$data/releases cannot be written, so an older list of releases would not be noticed"
  }

  digits() { printf %s "$1" | tr -dc 0-9; }

  check_age() {
    [ -z "$wanted" ] || return 0
    if [ -n "$installed" ] && older "$version" "$installed"; then
      fail "the newest release there is $version, which is older than the installed $installed" \
        "to go back all the same: COOP_VERSION=$version"
    fi
    # A release that revokes the key of an earlier one: what that one said is no measure.
    for id in $newly_revoked; do
      case " $signers " in *" $id "*) seen_time='' signers='' ;; esac
    done
    if [ -n "$seen_time" ] && [ "$(digits "$time")" -lt "$(digits "$seen_time")" ]; then
      fail "$base offers the release $version of $time as the newest, but there was one of $seen_time${seen_version:+ ($seen_version)}" \
        "it may hide a newer one from you; try another network, or name a release: COOP_VERSION=$version"
    fi
  }

  ## Installing

  # Coop needs no root. With sudo it would be root's alone, or root would own files in the user's home.
  warn_root() {
    [ "$(id -u 2>/dev/null)" = 0 ] && [ "${SUDO_USER:-root}" != root ] || return 0
    [ -z "${COOP_BIN_DIR-}" ] || return 0 # a folder for all users, as they asked for
    note "with sudo, coop is installed for root, in $bin; without sudo it is installed for $(printf %s "$SUDO_USER" | plain)"
  }

  # In a shared folder, such as one below /tmp, somebody else may have put it there: it must not run as this user.
  check_owner() {
    # shellcheck disable=SC3067,SC2012 # every shell that is named above has -O; the output of ls -n begins the same everywhere
    [ -O "$bin/coop" ] || [ "$(ls -nd "$bin/coop" | tr -s ' ' | cut -d ' ' -f 3)" = 0 ] ||
      fail "$bin/coop belongs to another user" 'set COOP_BIN_DIR to a folder of your own, such as ~/.local/bin'
  }

  # Sets `installed` to the version in the folder, and refuses to replace what is not coop.
  find_installed() {
    installed=''
    [ ! -L "$bin/coop" ] ||
      fail "$bin/coop is a link to $(readlink "$bin/coop" | plain)" 'remove the link, or set COOP_BIN_DIR to another folder'
    [ -e "$bin/coop" ] || return 0
    [ -f "$bin/coop" ] || fail "$bin/coop is no file" 'remove it, or set COOP_BIN_DIR to another folder'
    check_owner
    if printed=$(exec 2>/dev/null && cd / && "$bin/coop" --version) && [ -n "$printed" ]; then
      installed=$(version_in "$printed")
      is_version "$installed" ||
        fail "$bin/coop is another program: its --version says $(printf %s "$printed" | plain)" \
          'remove it, or set COOP_BIN_DIR to another folder'
    else
      note "$bin/coop does not start; it is replaced"
    fi
  }

  # coop 0.2.0 (0123456789ab 2026-11-28 linux-x64)
  version_in() {
    case $1 in 'coop '*) printf '%s\n' "$1" | sed -n '1s/^coop \([^ ]*\).*/\1/p' ;; esac
  }

  # Removes the temporary folders of installers that were killed. A process counts only on this machine and in this pid
  # namespace: several may share a home.
  remove_stale() {
    here=$(uname -n | tr -dc 'A-Za-z0-9-')-$(readlink /proc/self/ns/pid 2>/dev/null | tr -dc 0-9)
    [ -d "/proc/$$" ] || return 0
    for old in "$bin/.coop-install.$here."*; do
      pid=${old#"$bin/.coop-install.$here."}
      pid=${pid%%.*}
      case $pid in '' | *[!0-9]*) continue ;; esac
      [ -d "/proc/$pid" ] || rm -rf "$old" 2>/dev/null
    done
  }

  # Makes the temporary folder beside the executable: on the same disk, and known to be writable.
  make_work() {
    fix='set COOP_BIN_DIR to a folder that you can write, such as ~/.local/bin'
    [ "$bin" != "$HOME/.local/bin" ] ||
      fix="check HOME, which is $(printf %s "$HOME" | plain), and who owns the folder; or set COOP_BIN_DIR to a folder that you can write"
    mkdir -p "$bin" 2>/dev/null && [ -d "$bin" ] && [ -w "$bin" ] && [ -x "$bin" ] || fail "$bin cannot be written" "$fix"
    remove_stale
    problem=$(mktemp -d "$bin/.coop-install.$here.$$.XXXXXX" 2>&1) || {
      ! is_full "$problem" || disk_is_full
      fail "$bin cannot be written ($(printf %s "$problem" | plain))" "$fix"
    }
    work=$problem
  }

  unpack() {
    limit=$((binary_size + 1))
    # In large pieces and at once on the disk: the kernel maps a file in the pieces that it was written in, and after
    # a power cut the new name must not lead to an empty file.
    problem=$(
      case $packing in zstd) zstd -dcq ;; gzip) gzip -dc ;; esac <"$work/archive" 2>/dev/null |
        head -c "$limit" | dd of="$work/coop" ibs=65536 obs=4194304 conv=fsync 2>&1
    )
    ! is_full "$problem" || disk_is_full
    rm -f "$work/archive"
    check_file "$work/coop" "the executable in $archive" "$binary_size" "$binary_digest"
    chmod 755 "$work/coop"
    if ! printed=$(cd / && "$work/coop" --version 2>&1); then
      fix='tell whoever publishes the release'
      case $target in *-musl*) fix='it needs libstdc++ and libgcc: apk add libstdc++' ;; esac
      case $printed in *'ermission denied'*) fix="programs may not run from $bin (noexec?); set COOP_BIN_DIR to another folder" ;; esac
      fail "coop $version does not start here: $(printf %s "$printed" | plain)" "$fix"
    fi
    [ "$(version_in "$printed")" = "$version" ] ||
      fail "the executable in $archive says that it is $(printf %s "$printed" | plain)" 'tell whoever publishes the release'
  }

  # place FILE PATH: shells and man find it there. A file that somebody else wrote stays.
  place() {
    if [ -e "$2" ] || [ -L "$2" ]; then
      grep -qF "$mark" "$2" 2>/dev/null || {
        note "$2 stays as it is: it was not written by install.sh"
        return 0
      }
      ! cmp -s "$1" "$2" || return 0
    fi
    { mkdir -p "${2%/*}" && cp "$1" "${2%/*}/.coop-install.$$" && mv -f "${2%/*}/.coop-install.$$" "$2"; } 2>/dev/null || {
      rm -f "${2%/*}/.coop-install.$$" 2>/dev/null
      note "$2 cannot be written"
    }
  }

  place_completions() {
    for shell in bash zsh fish; do
      has "$shell" || continue
      "$bin/coop" completion "$shell" >"$work/completion" 2>/dev/null || continue
      printf '# %s\n' "$mark" >>"$work/completion"
      case $shell in
        bash) place "$work/completion" "$bash_completion" ;;
        zsh) place "$work/completion" "$zsh_completion" ;;
        fish) place "$work/completion" "$fish_completion" ;;
      esac
    done
  }

  fetch_man_page() {
    [ "$man_size" ] && is_number "$man_size" && is_digest "$man_digest" && [ "$man_name" = coop.1 ] || return 0
    [ "$man_size" -le 1048576 ] || return 0
    fetch "download/v$version/coop.1" "$work/coop.1" "$man_size"
    check_file "$work/coop.1" 'the man page coop.1' "$man_size" "$man_digest"
    printf '.\\" %s\n' "$mark" >>"$work/coop.1"
  }

  ## Lines for the startup files of shells

  on_path() {
    case ":${PATH-}:" in *":$bin:"*) return 0 ;; esac
    return 1
  }

  # Sets `lines` to what the user's shell lacks, and `startup` to the files they belong into.
  find_lines() {
    lines='' startup='' path_line=''
    folder=$bin
    case $bin in "$HOME"/*) folder="\$HOME${bin#"$HOME"}" ;; esac
    case $bin in *[!A-Za-z0-9/._+@%,=~\ -]*) return 0 ;; esac # quoting differs between shells
    path_line='case ":$PATH:" in *":'$folder':"*) ;; *) export PATH="'$folder':$PATH" ;; esac '$line_mark
    login_shell=${SHELL-}
    login_shell=${login_shell##*/}
    case $login_shell in
      bash)
        startup=$HOME/.bashrc
        # Login shells read the first of these instead; most of them read .bashrc in turn. An empty home has none.
        login=$HOME/.profile
        for file in "$HOME/.bash_profile" "$HOME/.bash_login" "$HOME/.profile"; do
          [ -f "$file" ] || continue
          login=$file
          ! grep -q bashrc "$file" || login=''
          break
        done
        ;;
      zsh) startup=${ZDOTDIR:-$HOME}/.zshrc ;;
      fish)
        startup=$config_home/fish/config.fish
        path_line='contains -- "'$folder'" $PATH; or set -gx PATH "'$folder'" $PATH '$line_mark
        ;;
      *) return 0 ;;
    esac
    on_path || lines=$path_line
    [ -f "$zsh_completion" ] || login_shell=''
    case $login_shell-$zsh_completion in
      zsh-*[!A-Za-z0-9/._+@%,=~\ -]*) ;;
      zsh-*)
        # Zsh looks for completions in no folder of the user's.
        lines=$lines${lines:+"
"}'(( $+functions[compdef] )) && source "'$zsh_completion'" 2>/dev/null '$line_mark
        ;;
    esac
  }

  # Prints those of `lines` that a file lacks.
  missing_lines() {
    printf '%s\n' "$lines" | while IFS= read -r text; do
      [ -z "$text" ] || grep -qxF -e "$text" "$1" 2>/dev/null || printf '%s\n' "$text"
    done
  }

  add_lines() {
    text=$(missing_lines "$1")
    [ -n "$text" ] || return 0
    # A file without a newline at its end gets one first.
    { mkdir -p "${1%/*}" && { [ -z "$(tail -c 1 "$1" 2>/dev/null)" ] || echo >>"$1"; } && printf '%s\n' "$text" >>"$1"; } 2>/dev/null ||
      note "$1 cannot be written; the line is: $text"
  }

  offer_lines() {
    find_lines
    if [ -z "$startup" ]; then
      on_path || say "
$bin is not on your PATH. The startup file of your shell can add it${path_line:+, often ~/.profile:

$path_line}"
      return 0
    fi
    text=$(missing_lines "$startup")
    if [ -n "$text" ]; then
      say "
For your shell to find coop, this belongs into $startup${login:+ and $login}:

$text
"
      if [ -z "$assume_yes" ]; then
        can_ask || { say 'Nobody can be asked here, so nothing was added; with sh -s -- --yes it is.' && return 0; }
        agrees "Add it? [Y/n]" y || return 0
      fi
      add_lines "$startup"
    fi
    [ -z "$login" ] || add_lines "$login"
    on_path || say 'New terminals find coop; this one does after:  export PATH="'"$folder"':$PATH"'
  }

  ## The end of an installation

  verdict() {
    "$bin/coop" doctor --help >/dev/null 2>&1 || return 0
    say ''
    if printed=$(cd / && "$bin/coop" doctor 2>&1); then
      printf '%s\n' "$printed" | sed -n '$p'
    else
      printf '%s\n' "$printed"
    fi
  }

  next_steps() {
    command=coop
    on_path || command=$bin/coop
    first=$(command -v coop 2>/dev/null)
    if on_path && [ "${first:-$bin/coop}" != "$bin/coop" ]; then
      note "coop now means $first, which comes first on your PATH: remove it, or put $bin before its folder"
      command=$bin/coop
    fi
    say "
Next, in the folder of a project:
  $command            starts an agent in a box
  $command run -- id  runs one command in a box
  $command --help     shows the rest"
  }

  install_coop() {
    base=${COOP_BASE_URL:-$COOP_RELEASES}
    while [ "$base" != "${base%/}" ]; do base=${base%/}; done
    [ -n "$base" ] ||
      fail 'this install.sh does not know where releases are: its publisher has set no address' \
        'set COOP_BASE_URL to the address that has latest/download/manifest.txt below it, or build coop from its source: npm run build'
    write='write it like https://example.com/coop'
    host=${base#*://}
    host=${host%%/*}
    # Before an @ stands a login, and behind it the machine that is meant: http://localhost:80@example.com
    case $host in *@*) fail 'COOP_BASE_URL has a login in it' "$write" ;; esac
    case $base in
      *[!]A-Za-z0-9:/._~%@+,[-]*) fail 'COOP_BASE_URL is no address of a web server' "$write" ;;
      https://?*) ;;
      *)
        case $host in
          localhost | localhost:* | '[::1]' | '[::1]:'*) is_local=yes ;;
          127.*[!0-9.:]* | 127.*.*.*.*) is_local='' ;;
          127.*.*.*) is_local=yes ;;
          *) is_local='' ;;
        esac
        [ "$base" != "${base#http://}" ] && [ -n "$is_local" ] ||
          fail 'COOP_BASE_URL must begin with https://; http:// is for this machine itself' "$write"
        ;;
    esac
    wanted=${COOP_VERSION-}
    wanted=${wanted#v}
    [ "$wanted" != latest ] || wanted=''
    [ -z "$wanted" ] || is_version "$wanted" ||
      fail 'COOP_VERSION is no version of coop' 'write it like 0.2.0, or leave it out to get the newest'
    where=latest/download
    [ -z "$wanted" ] || where=download/v$wanted

    warn_root
    find_target
    check_processor
    find_tools
    find_installed
    unchanged=''
    [ -z "$installed" ] || unchanged="; coop $installed stays as it is"
    make_work
    read_seen
    fetch "$where/manifest.txt" "$work/manifest.txt" 65536
    if ! check_signature; then
      # A release may have been published between the two downloads.
      sleep 1
      last_try=yes
      fetch "$where/manifest.txt" "$work/manifest.txt" 65536
      check_signature
    fi
    read_manifest
    case " $newly_revoked " in *" ${signer:-none} "*) fail "the release revokes the key that signed it ($signer)" "tell whoever runs $base" ;; esac
    [ -z "$wanted" ] || [ "$wanted" = "$version" ] ||
      fail "$base offers $version where $wanted should be" "tell whoever runs $base"
    check_age
    check_kernel
    choose_files
    fetch_man_page
    if [ "$installed" = "$version" ] && [ "$(digest "$bin/coop")" = "$binary_digest" ]; then
      say "coop $version is installed already: $bin/coop"
    else
      say "Downloading coop $version for $target ..."
      fetch "download/v$version/$archive" "$work/archive" "$archive_size" progress
      check_file "$work/archive" "$archive" "$archive_size" "$archive_digest"
      unpack
      [ ! -d "$bin/coop" ] && problem=$(mv -f "$work/coop" "$bin/coop" 2>&1) ||
        fail "$bin/coop cannot be replaced ($(printf %s "$problem" | plain))" "check who owns $bin and $bin/coop"
      say "coop $version is installed: $bin/coop${installed:+ (before: $installed)}"
    fi
    unchanged=''
    write_seen
    [ ! -f "$work/coop.1" ] || place "$work/coop.1" "$man_page"
    place_completions
    offer_lines
    verdict
    next_steps
  }

  ## Removing

  # Stops boxes and the daemon, which are of no use without the executable.
  stop_all() {
    coop=$bin/coop
    boxes=$("$coop" ls -a --json 2>/dev/null | grep -c '^    "state": "\(.*\)"' || :)
    stopped=$("$coop" ls -a --json 2>/dev/null | grep -c '^    "state": "stopped"' || :)
    running=$((boxes - stopped))
    if [ "$running" -gt 0 ] && [ -z "$assume_yes" ]; then
      what="$running boxes run"
      [ "$running" -ne 1 ] || what='1 box runs'
      can_ask || fail "$what, and nobody can be asked here whether to end them" "end them with $coop stop --all, or add --yes"
      agrees "$what. End what runs in them? Their files stay. [y/N]" n || fail "$what" "end them with: $coop stop --all"
    fi
    [ "$running" -eq 0 ] || "$coop" stop --all >/dev/null || fail 'not all boxes have ended' "$coop ls -a shows them"
  }

  # path_of NAME: a folder from the answer of `coop system status --json`.
  path_of() { printf '%s\n' "$status_json" | sed -n 's/^ *"'"$1"'": "\([^"\\]*\)",*$/\1/p'; }

  remove_data() {
    status_json=$("$bin/coop" system status --json 2>/dev/null) || return 0
    folders=''
    for name in dataDir cacheDir configDir; do
      folder=$(path_of "$name")
      [ -n "$folder" ] && [ -d "$folder" ] || continue
      folders="$folders  $folder
"
    done
    [ -n "$folders" ] || return 0
    if [ -z "$purge" ]; then
      if ! can_ask; then
        say "Your boxes, images and settings stay (--purge removes them):
$folders"
        return 0
      fi
      say "Your boxes, images, volumes and settings are in:
$folders"
      agrees 'Delete them, too? [y/N]' n || return 0
    fi
    "$bin/coop" system prune -f || fail 'the boxes and images could not be removed' "$bin/coop system prune shows why"
    "$bin/coop" system shutdown >/dev/null 2>&1
    # What is left belongs to the user. A folder with another name may have other things in it.
    printf %s "$folders" | while read -r folder; do
      case $folder in
        */coop) rm -rf -- "$folder" || note "$folder could not be removed whole" ;;
        *) note "$folder stays: it may hold other files, too" ;;
      esac
    done
  }

  remove_marked() {
    ! grep -qF "$mark" "$1" 2>/dev/null || { rm -f "$1" && say "removed $1"; }
  }

  # Replaces the file by one without the lines, in one step; a link stays a link.
  remove_lines() {
    grep -qF "$line_mark" "$1" 2>/dev/null || return 0
    file=$(readlink -f "$1" 2>/dev/null) || file=$1
    temporary=$file.coop-install.$$
    # grep ends with 1 when no line is left.
    if cp -p "$file" "$temporary" && { grep -vF "$line_mark" "$file" >"$temporary" || [ $? -eq 1 ]; } && mv -f "$temporary" "$file"; then
      say "removed the lines in $1"
    else
      rm -f "$temporary"
      note "$1 cannot be changed; remove the lines that end with: $line_mark"
    fi
  }

  uninstall_coop() {
    if [ -L "$bin/coop" ] || { [ -e "$bin/coop" ] && [ ! -f "$bin/coop" ]; }; then
      fail "$bin/coop was not installed by install.sh" 'remove it yourself'
    fi
    if [ -f "$bin/coop" ]; then
      check_owner
      if printed=$(cd / && "$bin/coop" --version 2>/dev/null); then
        is_version "$(version_in "$printed")" || fail "$bin/coop is another program" 'nothing was removed'
        unchanged='; nothing was removed'
        stop_all
        remove_data
        "$bin/coop" system shutdown >/dev/null || fail 'the daemon could not be stopped' "$bin/coop system status shows it"
        unchanged=''
      else
        note "$bin/coop does not start, so boxes and a daemon that may run are left alone"
      fi
      rm -f "$bin/coop" 2>/dev/null || fail "$bin/coop cannot be removed" "check who owns $bin"
      say "removed $bin/coop"
    else
      other=$(command -v coop 2>/dev/null) || other=''
      case $other in
        /*/coop) fail "there is no coop in $bin, but there is $other" "COOP_BIN_DIR=${other%/coop}" ;;
      esac
      note "there is no coop in $bin"
    fi
    remove_stale
    for file in "$bash_completion" "$zsh_completion" "$fish_completion" "$man_page"; do remove_marked "$file"; done
    for file in "$HOME/.bashrc" "$HOME/.bash_profile" "$HOME/.bash_login" "$HOME/.profile" "${ZDOTDIR:-$HOME}/.zshrc" \
      "$config_home/fish/config.fish"; do
      remove_lines "$file"
    done
  }

  ## The work

  assume_yes='' purge='' action=install_coop work='' unchanged='' login='' last_try='' wanted=''
  for word in "$@"; do
    case $word in
      --yes) assume_yes=yes ;;
      --uninstall) action=uninstall_coop ;;
      --purge) purge=yes ;;
      -h | --help) usage && return 0 ;;
      *) fail "there is no option $(printf %s "$word" | plain)" 'the options are --yes, --uninstall, --purge and --help' ;;
    esac
  done
  [ -z "$purge" ] || [ $action = uninstall_coop ] || fail '--purge goes with --uninstall' 'add --uninstall to remove coop and all that it keeps'
  trap '[ -z "$work" ] || rm -rf "$work"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  find_folders
  $action
}

coop_installer "$@"
exit
}
