#!/bin/sh
# Starts the CA with its keys on the HSM: as root up to pcscd, as the user step from then on.
set -eu
umask 077

: "${STEP_CA_HSM_PIN:?STEP_CA_HSM_PIN must be set in .env}"

# The PIN goes into memory alone, for the user step alone, and out of the environment.
printf '%s' "$STEP_CA_HSM_PIN" > /run/secrets/hsm-pin
chown 1000:1000 /run/secrets/hsm-pin
chmod 0400 /run/secrets/hsm-pin
unset STEP_CA_HSM_PIN

# No polkitd runs in a container, and without it every client would be turned away.
/usr/sbin/pcscd --disable-polkit

# step-ca asks for its keys at once; pcscd has to listen by then.
i=0
while [ ! -S /run/pcscd/pcscd.comm ] && [ "$i" -lt 50 ]; do
    sleep 0.1
    i=$((i + 1))
done

exec runuser -u step -- /usr/local/bin/step-ca \
    /home/step/config/ca.json \
    --password-file /home/step/secrets/password
