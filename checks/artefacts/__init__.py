"""Certificates, public keys and fingerprints as files."""
