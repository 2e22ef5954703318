#!/bin/sh
# Stands for the step command-line client in the lab's image, which Debian does not have:
# `step ca health [--ca-url URL] [--root FILE]`, as a container's health check calls it.
set -eu

if [ "${1:-} ${2:-}" != "ca health" ]; then
    echo "step: the rehearsal's stand-in knows \`step ca health\` alone" >&2
    exit 2
fi
shift 2

url=https://localhost:9000
root="${STEPPATH:-/home/step}/certs/root_ca.crt"
while [ "$#" -gt 0 ]; do
    case "$1" in
        --ca-url) url=$2; shift 2 ;;
        --ca-url=*) url=${1#*=}; shift ;;
        --root) root=$2; shift 2 ;;
        --root=*) root=${1#*=}; shift ;;
        *) echo "step: unknown option: $1" >&2; exit 2 ;;
    esac
done

answer=$(curl --silent --show-error --fail --max-time 10 --noproxy '*' --cacert "$root" "$url/health")
status=$(printf '%s' "$answer" | jq --raw-output .status)
printf '%s\n' "$status"
[ "$status" = ok ]
