"""The `sev1` command."""
