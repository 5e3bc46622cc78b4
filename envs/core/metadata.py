"""The metadata of every environment. Cheap to import."""

from typing import Any

METADATA: dict[str, Any] = {"render_modes": ["human", "rgb_array"], "render_fps": 4}
