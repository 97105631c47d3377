#!/bin/sh
# pnpm keeps its store at the root of the mount that holds the project when the home is another mount: in a container or a
# box whose project is a mount of its own, `.pnpm-store` lies in the repository. No single setting moves it in all versions:
# pnpm 10.18.0 reads `store-dir` in ~/.config/pnpm/rc and no variable of its own; pnpm 12.21.0 ignores that file without
# a word and reads the variable pnpm_config_store_dir. (npm_config_store_dir works for version 10, but npm warns of it.)
#
# What to do: set both, the file and the variable.
# Needs node and npm. Ends with 0 while pnpm does this, with 1 once it does something else.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
HOME=$folder/home
XDG_CONFIG_HOME=$HOME/.config
export HOME XDG_CONFIG_HOME
mkdir -p "$XDG_CONFIG_HOME/pnpm" "$folder/project"
for version in 10.18.0 12.21.0; do
  npm install --silent --no-audit --no-fund --prefix "$folder/$version" "pnpm@$version"
done
cd "$folder/project"
where() { "$folder/$1/node_modules/.bin/pnpm" store path | tail -n 1; }

echo "store-dir=$folder/by-file" >"$XDG_CONFIG_HOME/pnpm/rc"
old_file=$(where 10.18.0)
new_file=$(where 12.21.0)
rm "$XDG_CONFIG_HOME/pnpm/rc"
pnpm_config_store_dir=$folder/by-variable
export pnpm_config_store_dir
old_variable=$(where 10.18.0)
new_variable=$(where 12.21.0)

echo "pnpm 10.18.0: by file $old_file, by variable $old_variable"
echo "pnpm 12.21.0: by file $new_file, by variable $new_variable"
case $old_file in "$folder/by-file"/*) ;; *) exit 1 ;; esac
case $new_file in "$folder/by-file"/*) exit 1 ;; esac
case $old_variable in "$folder/by-variable"/*) exit 1 ;; esac
case $new_variable in "$folder/by-variable"/*) ;; *) exit 1 ;; esac
