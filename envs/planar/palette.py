"""Colours of discs and boxes, by index, for cameras and rendering.

Without full colour vision, some colours of discs look alike (blue and purple, yellow and orange); so pictures for people
also show their initials, which differ.
"""

RGB = tuple[int, int, int]

SMALL: list[tuple[str, RGB]] = [
    ("red", (222, 66, 60)),
    ("blue", (52, 112, 224)),
    ("yellow", (244, 202, 64)),
    ("green", (66, 168, 92)),
    ("purple", (148, 88, 204)),
    ("orange", (242, 138, 50)),
]

UNKNOWN: RGB = (150, 112, 84)  # of an unidentified disc

TALL: list[RGB] = [
    (164, 150, 138),
    (150, 156, 148),
    (158, 148, 156),
    (146, 154, 164),
    (166, 158, 140),
    (152, 150, 148),
    (120, 134, 120),
    (170, 140, 118),
]

WALL: RGB = (198, 192, 184)
FLOOR: RGB = (228, 218, 202)
SKY: RGB = (206, 214, 224)
AGENT: RGB = (244, 246, 250)
