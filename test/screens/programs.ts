/** Programs for the recordings: real ones, with the keys that a person presses. */
export interface Program {
  readonly name: string
  /** For bash, in a folder with `notes.md`, `data/`, `code.py` and a git repository. */
  readonly command: string
  readonly keys?: readonly string[]
}

export const SIZES: readonly [number, number][] = [
  [80, 24],
  [120, 40],
]

const [UP, DOWN, LEFT, RIGHT] = ['\x1b[A', '\x1b[B', '\x1b[D', '\x1b[C']
const [PAGE_DOWN, PAGE_UP, F3, F9, F10] = ['\x1b[6~', '\x1b[5~', '\x1bOR', '\x1b[20~', '\x1b[21~']
/** Keypresses for a shell, one line each. */
const typed = (...lines: string[]) => lines.map((line) => `${line}\r`)

export const PROGRAMS: readonly Program[] = [
  {
    name: 'vim',
    command: 'vim -u NONE -c "syntax on" -c "set number hlsearch ruler showcmd" code.py',
    keys: [
      'G',
      'o',
      'print("漢字 done")',
      '\x1b',
      '/def\r',
      'n',
      ':split notes.md\r',
      'dd',
      'p',
      '>>',
      '\x04',
      ':q!\r',
    ],
  },
  { name: 'vim-left', command: 'vim -u NONE code.py', keys: ['j', 'j', ':q!\r'] },
  { name: 'less', command: 'less -R notes.md', keys: [' ', ' ', 'b', '/line\r', 'n', 'G', 'g'] },
  { name: 'less-left', command: 'less notes.md; ls', keys: [' ', 'q'] },
  { name: 'htop', command: 'htop -d 5', keys: [DOWN, DOWN, 't', F9, '\x1b', PAGE_DOWN] },
  { name: 'top', command: 'top -d 0.4 -n 4', keys: ['z', 'x', 'c'] },
  {
    name: 'nano',
    command: 'nano notes.md',
    keys: ['hello ', 'wörld', DOWN, '\x0b', '\x0b', '\x15', '\x17', 'line\r', PAGE_DOWN, PAGE_UP],
  },
  { name: 'nano-left', command: 'nano code.py; echo back', keys: ['x', '\x18', 'n'] },
  { name: 'mc', command: 'mc -x', keys: [DOWN, DOWN, '\t', DOWN, F3, '\x1b0', F9, RIGHT, DOWN] },
  { name: 'mc-left', command: 'mc -a; echo back', keys: [DOWN, F10, '\r'] },
  {
    name: 'tmux',
    command: 'tmux -f /dev/null new',
    keys: ['ls\r', '\x02"', 'seq 30\r', '\x02%', 'ls\r', '\x02o', '\x02w', 'q'],
  },
  { name: 'tig', command: 'tig', keys: [DOWN, '\r', DOWN, DOWN, '\t', 'j', PAGE_DOWN] },
  { name: 'git-log', command: 'git --no-pager log --graph --color --oneline --all --stat' },
  { name: 'git-diff', command: 'git --no-pager log -p --color | head -120' },
  { name: 'ls', command: 'ls --color=always -laR --time-style=+%Y . | head -300; ls -C --color=always data' },
  { name: 'man', command: 'man ls', keys: [' ', ' ', DOWN, 'k', '/file\r'] },
  { name: 'watch', command: 'timeout 3 watch -n 0.3 -d -c "date +%N; ls --color=always data"' },
  {
    name: 'dialog',
    command:
      'dialog --menu "Pick one" 15 40 5 a first b second c third; dialog --yesno "Sure?" 7 30; dialog --gauge x 8 40 40',
    keys: [DOWN, '\r', RIGHT, LEFT, '\r'],
  },
  {
    name: 'whiptail',
    command: 'whiptail --checklist "Choose" 15 50 5 a 1 on b 2 off c 3 on; whiptail --inputbox "Name?" 9 40',
    keys: [DOWN, ' ', '\t', '\r', 'Ada', '\t'],
  },
  { name: 'cmatrix', command: 'timeout 2 cmatrix -u 4' },
  { name: 'nload', command: 'timeout 3 nload -t 300 lo', keys: [RIGHT] },
  { name: 'w3m', command: 'w3m -T text/html page.html', keys: ['\t', '\t', DOWN, ' '] },
  { name: 'ncdu', command: 'ncdu .', keys: [DOWN, '\r', 'g', 'i'] },
  { name: 'joe', command: 'joe notes.md', keys: [DOWN, 'abc', '\x0bh', PAGE_DOWN] },
  {
    name: 'emacs',
    command: 'emacs -nw -q notes.md',
    keys: [DOWN, 'text', '\x18' + '2', PAGE_DOWN, '\x1bx', 'calendar\r'],
  },
  {
    name: 'bash',
    command: 'bash --norc -i',
    keys: [
      ...typed('ls --color', 'echo $((6*7))', 'cat notes.md | head -5'),
      ...[
        'ech',
        '\t',
        ' long words that go on and on '.repeat(4),
        '\x01',
        '\x0b',
        '\x19',
        LEFT,
        LEFT,
        'X',
        '\x15',
      ],
      ...[UP, UP, '\r', '\x12', 'ech', '\r', '\x0c', 'clear\r', ...typed('seq 60')],
    ],
  },
  {
    name: 'python',
    command: 'python3 -q',
    keys: typed(
      'import math',
      'for i in range(40): print("x" * i, i)',
      '',
      '1/0',
      'print("\\x1b[1;31mred\\x1b[0m 漢字 😀")',
    ),
  },
  {
    name: 'pv',
    command: 'pv -f -i 0.1 -L 600k /bin/bash 2>&1 >/dev/null',
  },
  {
    name: 'apt-progress',
    command: String.raw`rows=$(stty size | cut -d' ' -f1); printf '\n\e7\e[0;%sr\e8\e[1A' $((rows-1)); for i in $(seq 1 40); do echo "Setting up package-$i ..."; printf '\e7\e[%s;0f\e[42m\e[30mProgress: [%3d%%]\e[49m\e[39m [%s] \e8' $rows $((i*100/40)) $(printf '#%.0s' $(seq $i)); done; printf '\n\e7\e[0;%sr\e8\e[1A\e[J' $rows; echo done`,
  },
  {
    name: 'curl-progress',
    command: String.raw`for i in $(seq 0 2 100); do printf '\r%*s %d%%' $((i*60/100)) '' $i | tr ' ' '#'; sleep 0.01; done; echo; for i in 1 2 3; do printf 'layer %s\n' $i; done; for i in 1 2 3; do printf '\e[3A\e[2Klayer done %s\e[3B\r' $i; done`,
  },
  { name: 'wide-text', command: 'cat wide.txt wide.txt; printf "%s" "$(cat wide.txt)"' },
  {
    name: 'colors',
    command: String.raw`for i in $(seq 0 255); do printf '\e[48;5;%sm %3s \e[0m' $i $i; done; echo; for i in $(seq 0 4 255); do printf '\e[38;2;%s;%s;128m#\e[48;2;%s;0;%sm.' $i $((255-i)) $i $i; done; printf '\e[0m\n'; for a in 1 2 3 4 5 7 8 9 21 53; do printf '\e[%smattr %s\e[0m ' $a $a; done; for s in 1 2 3 4 5; do printf '\e[4:%smunder\e[0m ' $s; done; for c in $(seq 30 37) $(seq 90 97); do printf '\e[%s;%sm x \e[m' $c $((c+10)); done; echo; printf '\e[44mblue to the end\e[K\n\e[0m\e[41m\e[2L\e[3@ins\e[2P\e[10X\e[0m\n'`,
  },
  {
    name: 'table',
    command:
      'column -t -s, data/table.csv; tput smacs; echo lqqqqqqqwqqqqk; echo "x  box  x    x"; echo mqqqqqqqvqqqqj; tput rmacs',
  },
  { name: 'figlet', command: 'figlet -w 78 screen | toilet -f term --gay; figlet -c "wide $COLUMNS"' },
  {
    name: 'modes',
    command: String.raw`printf '\e[?1049h\e[?1000h\e[?1006h\e[?2004h\e[?1h\e=\e[5;15r\e[?6h\e[3;4Hin the region\e[?25l'; for i in $(seq 12); do echo "line $i"; done; printf '\e(0lqqk\e(B\e[4h\e[2GIN\e[4l\e[5 q\e]2;a title\e\\'`,
  },
  {
    name: 'wrap',
    command: String.raw`for i in $(seq 12); do printf 'a long line that wraps %s ' $(seq 30); echo; done; printf '漢%.0s' $(seq 100); echo; printf '\e[7l'; printf '\e[?7l'; printf 'x%.0s' $(seq 200); printf '\e[?7h'; printf 'y%.0s' $(seq $(stty size | cut -d' ' -f2))`,
  },
]
