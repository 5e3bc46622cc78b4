"""Environments that ask for planning."""
