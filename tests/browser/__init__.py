"""The pages in real Chromium, on a real server."""
