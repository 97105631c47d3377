/** How long sequences may be. */

export const MAX_HEADER = 1024 // bytes of an ESC or CSI; the longest real ones (colours of a whole line) have 200
export const MAX_STRING = 8192 // kitty's longest chunk is 4096 and a header; a title, a link are shorter
export const MAX_CLIPBOARD = 1 << 20 // bytes of an OSC 52, which carries base64; tmux and xterm stop near there too
