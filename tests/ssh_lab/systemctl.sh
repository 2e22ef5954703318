#!/bin/sh
# Stands in for systemctl(1) on machines without systemd: `show` of properties alone, in systemctl's own format.
# A unit is a file of NAME=VALUE lines in /run/lab/units; one that is not there is shown as systemd shows it.
set -eu
units=/run/lab/units
wanted= command= names=
while [ $# -gt 0 ]; do
    case "$1" in
        --no-pager | --no-ask-password | --full | -l) ;;
        --property=*) wanted="$wanted,${1#*=}" ;;
        --property | -p) shift; wanted="$wanted,$1" ;;
        -p*) wanted="$wanted,${1#-p}" ;;
        --) shift; names="$names $*"; break ;;
        -*) echo "systemctl: unrecognized option '$1'" >&2; exit 1 ;;
        *) if [ -z "$command" ]; then command=$1; else names="$names $1"; fi ;;
    esac
    shift
done
# After `--` the command may come first too.
if [ -z "$command" ]; then
    # shellcheck disable=SC2086
    set -- $names
    command=${1:-}; shift || true
    names="$*"
fi
[ "$command" = show ] || { echo "systemctl stand-in: only 'show' is there, not '$command'" >&2; exit 1; }
first=yes
for name in $names; do
    case "$name" in *.*) ;; *) name=$name.service ;; esac
    [ "$first" = yes ] || echo
    first=no
    if [ -e "$units/$name" ]; then
        cat "$units/$name"
    else
        printf '%s\n' Result=success "Id=$name" "Names=$name" "Description=$name" LoadState=not-found \
            ActiveState=inactive SubState=dead FreezerState=running UnitFileState= UnitFilePreset= NRestarts=0 MainPID=0
    fi | awk -F= -v wanted="$wanted," 'wanted == "," || index(wanted, "," $1 ",")'
done
