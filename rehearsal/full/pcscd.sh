#!/bin/sh
# pcscd as the site's image has it, made of Debian's: that one is built without polkit, and does not know the option
# against it. And a card of the virtual reader comes a moment after its pcscd, which a dongle on the USB bus does not;
# whoever starts pcscd may ask for the token at once.
set -eu

for argument in "$@"; do
    shift
    [ "$argument" = --disable-polkit ] || set -- "$@" "$argument"
done
/usr/lib/rehearsal/pcscd "$@"

i=0
while [ "$i" -lt 50 ] && ! opensc-tool --list-readers 2> /dev/null | grep -q ' Yes '; do
    sleep 0.1
    i=$((i + 1))
done
