/**
 * Small programs of the `host` image that stand where those of the host cannot work, since nothing that belongs to the
 * host's root has an id in the box. They are written in the shell and in Perl, which every host with dpkg has.
 */

/**
 * sudo(8) of the host believes neither its own configuration nor its own plugins, because their owner has no id in the
 * box. This one runs the command as root of the box, who is its caller already, or as another user of the box. A real
 * sudo that was installed in the box belongs to the box's root and is used instead.
 */
export const SUDO = `#!/bin/sh
# Made by coop: root of a box needs no sudo, and no program of a box can gain rights.
fail() { echo "sudo: $1" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "no program of a box can gain rights: run it as root of the box, not as $(id -un)"
if [ -x /usr/bin/sudo ] && [ "$(stat -c %u /usr/bin/sudo 2>/dev/null)" = 0 ] &&
  [ "$(stat -c %u /etc/sudoers 2>/dev/null)" = 0 ]; then exec /usr/bin/sudo "$@"; fi
user= group= shell= login= home= folder= keep= edit=
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    --user=*) user=\${1#*=} ;;
    --group=*) group=\${1#*=} ;;
    --chdir=*) folder=\${1#*=} ;;
    --preserve-env | --preserve-env=*) keep=1 ;;
    --login) login=1 ;;
    --shell) shell=1 ;;
    --set-home) home=1 ;;
    --edit) edit=1 ;;
    --version) echo "sudo: a stand-in of coop"; exit 0 ;;
    --list) echo "root of the box may run every command"; exit 0 ;;
    --validate | --reset-timestamp | --remove-timestamp) [ $# -eq 1 ] && exit 0 ;;
    --non-interactive | --stdin | --background | --askpass | --preserve-groups | --bell) ;;
    --user | --group | --chdir | --prompt | --host | --close-from | --role | --type | --command-timeout | --other-user | --chroot)
      [ $# -gt 1 ] || fail "$1 needs a value"
      case $1 in
        --user) user=$2 ;;
        --group) group=$2 ;;
        --chdir) folder=$2 ;;
      esac
      shift ;;
    --*) fail "coop's stand-in has no option $1" ;;
    -[a-zA-Z]*)
      letters=\${1#-}
      while [ -n "$letters" ]; do
        rest=\${letters#?}; letter=\${letters%"$rest"}; letters=$rest
        case $letter in
          [ugDphCrtTUR])
            if [ -n "$rest" ]; then value=$rest letters=; else
              [ $# -gt 1 ] || fail "-$letter needs a value"
              value=$2; shift
            fi
            case $letter in
              u) user=$value ;;
              g) group=$value ;;
              D) folder=$value ;;
            esac ;;
          i) login=1 ;;
          s) shell=1 ;;
          H) home=1 ;;
          E) keep=1 ;;
          e) edit=1 ;;
          V) echo "sudo: a stand-in of coop"; exit 0 ;;
          l) echo "root of the box may run every command"; exit 0 ;;
          v | k | K) [ $# -eq 1 ] && exit 0 ;;
          n | S | b | A | P | B | N) ;;
          *) fail "coop's stand-in has no option -$letter" ;;
        esac
      done ;;
    [A-Za-z_]*=*) export "$1" ;;
    *) break ;;
  esac
  shift
done
while [ $# -gt 0 ]; do
  case $1 in [A-Za-z_]*=*) export "$1"; shift ;; *) break ;; esac
done
if [ -n "$edit" ]; then
  [ $# -gt 0 ] || fail "name a file to edit"
  set -- "\${SUDO_EDITOR:-\${VISUAL:-\${EDITOR:-vi}}}" "$@"
fi
export SUDO_USER="$(id -un)" SUDO_UID=0 SUDO_GID=0 SUDO_COMMAND="$*"
user=\${user#\\#}
entry=$(getent passwd "\${user:-0}") || fail "unknown user $user"
old=$IFS; IFS=:; set -f; set -- "$entry" "$@"; line=$1; shift
name=\${line%%:*}; rest=\${line#*:*:}; uid=\${rest%%:*}; rest=\${rest#*:}; gid=\${rest%%:*}
rest=\${rest#*:*:}; theirs=\${rest%%:*}; program=\${rest#*:}
IFS=$old; set +f
if [ -n "$user" ] && [ "$uid" != 0 ] || [ -n "$login$home" ]; then [ -n "$keep" ] || export HOME="$theirs"; fi
if [ "$uid" = 0 ]; then name=root; fi
[ -n "$keep" ] || export USER="$name" LOGNAME="$name"
if [ -n "$login" ]; then cd "$theirs" || exit 1; fi
if [ -n "$folder" ]; then cd "$folder" || exit 1; fi
if [ -n "$login$shell" ]; then
  [ -n "$login" ] || program=\${SHELL:-$program}
  if [ $# -gt 0 ]; then
    text=
    for word; do text="$text '$(printf %s "$word" | sed "s/'/'\\\\\\\\''/g")'"; done
    set -- -c "\${text# }"
  fi
  set -- "\${program:-/bin/sh}" \${login:+-l} "$@"
fi
[ $# -gt 0 ] || { echo "usage: sudo [-EHins] [-u USER] [-g GROUP] [-D FOLDER] [NAME=VALUE] COMMAND ..." >&2; exit 1; }
if [ "$uid" != 0 ] || [ -n "$group" ]; then
  [ -z "$group" ] || gid=$group
  exec setpriv --reuid "$uid" --regid "\${gid#\\#}" --init-groups -- "$@"
fi
exec "$@"
`

/** As in images of containers: installing a package starts no service (invoke-rc.d(8)); \`service NAME start\` does. */
export const POLICY = `#!/bin/sh
# Made by coop: no service starts by itself in a box.
exit 101
`

/** The place of ADOPT in the box. */
export const ADOPT_PATH = 'usr/lib/coop/adopt-packages'

/**
 * Runs before dpkg changes packages (\`pre-invoke\` of dpkg(1)). Dpkg keeps the old version of a file by a hard link
 * and takes the set-id bits from a file that it deletes. Overlayfs can do neither with a file of the host's root, so
 * each such file of the packages is replaced by a copy that belongs to the box, and so is each link.
 */
export const ADOPT = `#!/usr/bin/perl
# Made by coop: gives the files of packages that dpkg is about to change to the box.
use strict; use warnings; use Fcntl ':mode';
my $action = $ENV{DPKG_HOOK_ACTION} // '';
exit 0 unless $action =~ /^(install|unpack|remove|purge)$/;
my @words;
for (my $pid = getppid; $pid > 1;) {
  open(my $f, '<', "/proc/$pid/cmdline") or last; local $/; @words = split /\\0/, <$f> // ''; close $f;
  last if ($words[0] // '') =~ m{(^|/)dpkg$}; @words = ();
  open($f, '<', "/proc/$pid/stat") or last; (<$f> // '') =~ /^.*\\) \\S (\\d+)/s or last; $pid = $1;
}
shift @words;
sub lines { open(my $p, '-|', @_) or return (); my @l = <$p>; close $p; chomp @l; @l }
my (@names, @debs);
my $pending = grep { /^(--pending|-a)$/ } @words;
for my $word (grep { !/^-/ } @words) {
  if (-d $word) { push @debs, grep { /\\.deb$/ } lines('find', '-L', $word, '-name', '*.deb') }
  elsif ($action =~ /^(remove|purge)$/) { push @names, $word }
  elsif (-f $word) { push @debs, $word }
}
push @names, map { (lines('dpkg-deb', '-f', $_, 'Package'))[0] =~ /^(?:Package: )?(\\S+)/ ? $1 : () } @debs;
if ($pending) {
  push @names, map { /^(?:deinstall|purge) (\\S+)/ ? $1 : () }
    lines('dpkg-query', '-W', '-f', '\${db:Status-Want} \${Package}\\n');
}
my $removing = $action =~ /^(remove|purge)$/;
my (%seen, @closed);
for my $line (lines('sh', '-c', 'exec dpkg-query -L "$@" 2>/dev/null', 'sh', map { s/:.*//r } @names)) {
  my $path = $line =~ m{^diverted by .* to: (/.*)} ? $1 : $line;
  next if $path !~ m{^/} || $seen{$path}++;
  my @stat = lstat $path or next;
  next unless $stat[4] == 65534; # the host's root
  if (S_ISDIR($stat[2])) { push @closed, $path unless -w $path; next }
  my $new = "$path.coop-new";
  if (S_ISLNK($stat[2]) && !$removing) { # dpkg gives the copy that it keeps the owner of the link
    my $to = readlink $path;
    next if defined $to && symlink($to, $new) && rename $new, $path;
    unlink $new; push @closed, $path; next;
  }
  next unless S_ISREG($stat[2]);
  next if $removing && !($stat[2] & 06000);
  if (open(my $in, '<:raw', $path)) {
    if (open(my $out, '>:raw', $new)) {
      my ($data, $good) = ('', 1);
      while (my $n = sysread($in, $data, 1 << 20)) { $good &&= (syswrite($out, $data) // -1) == $n }
      close($out) or $good = 0;
      chmod $stat[2] & 07777, $new; utime $stat[8], $stat[9], $new;
      if ($good && rename $new, $path) { next }
      unlink $new;
    }
    push @closed, $path;
  } elsif (!unlink $path) { push @closed, $path } # closed to everybody: the host's own secrets are not the box's
}
exit 0 unless @closed;
splice @closed, 3 if @closed > 3;
print STDERR "coop: these belong to the host and cannot be changed in this box: @closed\\n",
  "coop: start the box again (coop restart) if packages of the host have changed since\\n";
exit 0;
`

/** The place of WAIT in the box. */
export const WAIT_PATH = 'usr/lib/coop/wait-for-folders'

/** A name in the folder of WAIT that appears when all of the host's folders are in the skeleton. */
export const COMPLETE = 'complete'

/**
 * Coop adds the host's deeper folders to the skeleton once a box writes to a system folder. Overlayfs remembers that a
 * name was missing, so only a new listing shows it. No program that looks into such folders may run before: hence no
 * Perl.
 */
export const WAIT = `#!/bin/sh
# Made by coop: waits until the host's folders can be written in the box.
cd "\${0%/*}" 2>/dev/null || exit 0
turns=0
until (for name in *; do [ "$name" = ${COMPLETE} ] && exit 0; done; exit 1); do
  [ $turns = 0 ] && : >wanted
  turns=$((turns + 1))
  [ $turns -lt 300 ] || break
  sleep 0.1
done
exit 0
`

/** Configuration of dpkg(1) that runs both. */
export const DPKG_CONFIGURATION = `# Made by coop.
pre-invoke=/${WAIT_PATH}
pre-invoke=/${ADOPT_PATH}
`

/** Configuration of apt.conf(5): scripts of an update look into folders, which must be the box's by then. */
export const APT_CONFIGURATION = `// Made by coop.
APT::Update::Pre-Invoke { "/${WAIT_PATH}"; };
`

const ONE_ID =
  'coop: this box has one user id. Programs, libraries and compilers install; a package that makes a user or gives files to one (nginx, postgresql, redis-server, openssh-server) fails in its scripts, and apt installs nothing more until it is removed: apt-get purge NAME. coop status says how to get more ids.'

/** Configuration of apt.conf(5) for a box with a single id: apt has no other user to download as. */
export const APT_ONE_ID = `APT::Sandbox::User "root";
DPkg::Pre-Invoke { "echo '${ONE_ID}' >&2"; };
`
