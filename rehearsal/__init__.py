"""The lab: a token, artefacts, a paper sheet and a site profile made for practice."""
