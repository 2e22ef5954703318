"""Hardware security modules: PKCS#11 tokens and what is asked of them."""
