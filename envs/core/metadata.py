"""What Gymnasium is told about every environment before it is made. Light to import."""

from typing import Any

METADATA: dict[str, Any] = {"render_modes": ["human", "rgb_array"], "render_fps": 4}
