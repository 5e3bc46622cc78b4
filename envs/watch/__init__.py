"""Rendering and keyboard play with pygame. Nothing here is imported until a frame is drawn."""

import os

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # a library has no banner
