#!/bin/sh
# Makes the folder in which programs are recorded.
set -e
rm -rf /srv/demo /home/ada/.cache /home/ada/.config /home/ada/.local
mkdir -p /srv/demo/data
cd /srv/demo
for i in $(seq 80); do echo "## Heading $i"; echo "line $i of some *text* with \`code\` and ünïcödé"; done >notes.md
{ echo 'import sys'; for i in $(seq 25); do printf 'def function_%s(x, y=%s):\n    """A text."""\n    return x + y  # %s\n\n' $i $i $i; done; } >code.py
for i in $(seq 30); do echo "$i,name $i,$((i * i)),some longer text $i"; done >data/table.csv
for i in $(seq 20); do head -c $((i * 997)) /dev/zero >"data/file-$i.bin"; done
ln -s data/table.csv link; mkdir -p data/sub; touch data/run.sh; chmod +x data/run.sh
cat >wide.txt <<'T'
日本語のテキスト、漢字とかな。한국어 텍스트와 한글. 中文字符测试。
emoji 😀 🎉 🚀 ✅ ❌ ⚡ 🔥 and text
combining é ñ ö ạ̈ Z̸ and नमस्ते हिन्दी, ไทย ภาษาไทย
boxes ┌─┬─┐ │ │ │ └─┴─┘ ▁▂▃▄▅▆▇█ ⠋⠙⠹⠸ ★☆→←↑↓ ½ ÷ ×
混ぜた text と a long line that wraps because it has many 文字 in it, 全角と半角 and more 漢字漢字漢字漢字
T
printf '<h1>Title</h1><p>Some <a href=a>link</a> and <b>bold</b> text.<table border=1><tr><td>a<td>b<tr><td>1<td>2</table><ul><li>x<li>y</ul>' >page.html
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
git init -q -b main .; git add .; git commit -qm 'first commit'
git checkout -qb topic; echo more >>notes.md; git commit -qam 'topic: more notes'
git checkout -q main; for i in 1 2 3 4; do echo "# $i" >>code.py; git commit -qam "main: change $i"; done
git merge -q -m 'merge the topic' topic
chown -R ada:ada /srv/demo
