"""A SmartCard-HSM in software for the rehearsal, behind the real pcscd and the real OpenSC.

It has what a soft token lacks and what the cutover is about: a PIN counter that lives in the card and locks, a
card that can be pulled out, swapped, slow or silent. Keys on it are worth nothing.
"""
