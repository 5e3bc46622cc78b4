"""Environments of industry: what is costly to try for real is tried in imagination first."""
