"""Save films of episodes as .gif, .mp4 or a .png contact sheet. No display is needed."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unseen.envs.errors import UnseenError

__all__ = ["SHEET", "FilmError", "Shot", "check_target", "on_sheet", "save_film"]

GIF_BYTES = 2_000_000
"""A larger .gif is encoded again with fewer colours and pixels, to be usable on a web page."""
VIDEO_RATE = 30
SHEET = ".png"
"""The suffix of a contact sheet."""


class FilmError(UnseenError, ValueError):
    """A film cannot be written: unknown suffix, or a folder that is not writable."""


@dataclass(frozen=True)
class Shot:
    """One picture (height, width, 3) uint8, and its duration in seconds."""

    image: np.ndarray
    seconds: float


def check_target(path: Path) -> Path:
    """Check that a film can be written to `path`, before making it. Raises FilmError."""
    if path.suffix.lower() not in WRITERS:
        raise FilmError(f"{path}: cannot save {path.suffix or 'without a suffix'}; use {', '.join(WRITERS)}")
    _replace(path, None)
    return path


def on_sheet(chapters: Sequence[str]) -> list[int]:
    """The frames that a contact sheet shows, of frames in these chapters: the middle one of each chapter, and the last."""
    rows = [[i for i, each in enumerate(chapters) if each == chapter] for chapter in dict.fromkeys(chapters)]
    return sorted({row[len(row) // 2] for row in rows} | {len(chapters) - 1})


def save_film(path: Path, shots: Sequence[Shot]) -> None:
    """Write `shots` to `path` atomically. Raises FilmError."""
    check_target(path)
    if not shots:
        raise FilmError(f"{path}: there is nothing to save")
    _replace(path, WRITERS[path.suffix.lower()](shots))


def _replace(path: Path, content: bytes | None) -> None:
    """Write through a temporary file beside the target; None only checks that this works."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(content or b"")
            if content is not None:
                os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise FilmError(f"{path}: cannot be written: {error.strerror or error}") from None


def _gif(shots: Sequence[Shot]) -> bytes:
    """Encode with one palette for all frames, so that static parts do not flicker and compress to nothing."""
    best = b""
    for scale, colours in ((1.0, 256), (1.0, 128), (0.8, 96), (0.66, 64), (0.5, 48)):
        best = _gif_at(shots, scale, colours)
        if len(best) <= GIF_BYTES:
            break
    return best


def _gif_at(shots: Sequence[Shot], scale: float, colours: int) -> bytes:
    from PIL import Image

    def picture(shot: Shot) -> Any:
        image = Image.fromarray(shot.image)
        size = (round(image.width * scale), round(image.height * scale))
        return image if scale == 1.0 else image.resize(size, Image.Resampling.LANCZOS)

    some = [picture(shots[i]) for i in np.unique(np.linspace(0, len(shots) - 1, 12).round().astype(int))]
    sheet = Image.new("RGB", (some[0].width, some[0].height * len(some)))
    for k, image in enumerate(some):
        sheet.paste(image, (0, k * image.height))
    # Half of the colours for large smooth areas, half for small bright objects.
    halves = [
        sheet.quantize(colours // 2, method=method).getpalette() or []
        for method in (Image.Quantize.MEDIANCUT, Image.Quantize.MAXCOVERAGE)
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette([*halves[0][: colours // 2 * 3], *halves[1][: colours // 2 * 3]])
    frames = [picture(shot).quantize(palette=palette, dither=Image.Dither.NONE) for shot in shots]
    out = io.BytesIO()
    durations = [
        max(20, round(shot.seconds * 100) * 10) for shot in shots
    ]  # gif durations are in hundredths of a second
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True)
    return out.getvalue()


def _mp4(shots: Sequence[Shot]) -> bytes:
    """Encode as H.264 yuv420p, which browsers and slides can play."""
    try:
        import av
    except ImportError:
        raise FilmError("saving .mp4 needs PyAV: pip install av") from None
    height, width = (side // 2 * 2 for side in shots[0].image.shape[:2])  # yuv420p needs even sizes
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream: Any = container.add_stream("h264", rate=VIDEO_RATE, options={"crf": "18", "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        shown, seconds = 0, 0.0
        for shot in shots:
            seconds += shot.seconds
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shot.image[:height, :width]), format="rgb24")
            while shown < round(seconds * VIDEO_RATE):
                frame.pts = shown
                container.mux(stream.encode(frame))
                shown += 1
        container.mux(stream.encode())
    return out.getvalue()


def _png(shots: Sequence[Shot]) -> bytes:
    """A contact sheet of all pictures, in two columns."""
    from PIL import Image

    images = [Image.fromarray(shot.image) for shot in shots]
    across = min(2, len(images))
    width, height = images[0].size
    sheet = Image.new("RGB", (across * width, math.ceil(len(images) / across) * height))
    for k, image in enumerate(images):
        sheet.paste(image, (k % across * width, k // across * height))
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=True)
    return out.getvalue()


WRITERS: dict[str, Callable[[Sequence[Shot]], bytes]] = {".gif": _gif, ".mp4": _mp4, SHEET: _png}
