"""sev1 and its peers as processes of their own, on loopback: what tests/peers, tests/crash and bench/ start."""
