#!/bin/sh
# pcscd as the site's image has it: one that asks polkit unless it is told `--disable-polkit`. Debian's of now is built
# without polkit, and does not know the option.
for argument in "$@"; do
    shift
    [ "$argument" = --disable-polkit ] || set -- "$@" "$argument"
done
exec /usr/lib/rehearsal/pcscd "$@"
