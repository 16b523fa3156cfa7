"""sev1 runs incidents: from the first signal to the all-clear, the review and the changes that follow."""

__version__ = "0.1.0"
