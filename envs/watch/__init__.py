"""Watching and playing, in pygame: nothing here is imported until a picture is asked for."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # a library has no banner
