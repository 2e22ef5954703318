#!/bin/sh
# Puts the six provisioners into ca.json in the CA's volume: CCAT-GitHub, prod-services, staging-services,
# service-accounts, acme, sshpop. Those that are there already stay as they are.
#
#   DEX_STEPCA_CLIENT_SECRET=… OIDC_ADMIN_EMAIL=… ./step-ca/provisioners-bootstrap.sh
#
# The step client cannot add any to a CA without remote administration, so the file is edited; the CA has to be
# restarted afterwards.
set -eu

: "${DEX_STEPCA_CLIENT_SECRET:?DEX_STEPCA_CLIENT_SECRET must be set}"
: "${OIDC_ADMIN_EMAIL:?OIDC_ADMIN_EMAIL must be set}"
export DEX_STEPCA_CLIENT_SECRET OIDC_ADMIN_EMAIL

# A lab has no jq on its host that could make keys; its own command edits the file.
exec ccat ca provisioners "$@"
