"""A certificate authority (step-ca) as its clients see it: over HTTPS, with the trust that the step names."""
