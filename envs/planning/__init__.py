"""Environments that require planning."""
