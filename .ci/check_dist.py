"""Compare an sdist and a wheel with the checkout: every file of the package in each, and each once.

Usage: python .ci/check_dist.py SDIST WHEEL
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import PurePosixPath

FOLDERS = {
    "src/unseen/": "unseen/",
    "envs/": "unseen/envs/",
    "agents/": "unseen/agents/",
    "train/": "unseen/train/",
}
PREFILLED = "unseen/envs/core/jit/prefilled.xz"  # made for the wheel alone
LINKS = {"src/unseen/envs", "src/unseen/agents", "src/unseen/train"}


def tracked() -> dict[str, str]:
    """Paths of the package's files in the checkout -> where they install."""
    listed = subprocess.run(["git", "ls-files", *FOLDERS], check=True, capture_output=True, text=True)
    return {
        path: target + path.removeprefix(folder)
        for path in listed.stdout.splitlines()
        if path not in LINKS
        for folder, target in FOLDERS.items()
        if path.startswith(folder)
    }


def problems(what: str, found: list[str], wanted: set[str]) -> list[str]:
    """What is missing from an archive, or in it twice (also under another name)."""
    twice = [name for name, count in Counter(found).items() if count > 1]
    through_links = [name for name in found if any(name.startswith(link + "/") for link in LINKS)]
    return (
        [f"{what} lacks {name}" for name in sorted(wanted - set(found))]
        + [f"{what} holds {name} twice" for name in twice]
        + [f"{what} holds a copy {name}" for name in through_links]
    )


def main(sdist: str, wheel: str) -> int:
    files = tracked()
    with tarfile.open(sdist) as tar:
        in_sdist = ["/".join(PurePosixPath(m.name).parts[1:]) for m in tar.getmembers() if not m.isdir()]
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = [name for name in archive.namelist() if not name.endswith("/")]
    expected = {*files.values(), PREFILLED}
    wrong = problems("the sdist", in_sdist, set(files)) + problems("the wheel", in_wheel, expected)
    extra = [name for name in in_wheel if name not in expected and ".dist-info/" not in name]
    wrong += [f"the sdist holds {name}" for name in in_sdist if name.endswith("/prefilled.xz")]
    wrong += [f"the wheel holds {name}, which is not in the repository" for name in extra]
    print(
        "\n".join(wrong)
        or f"sdist and wheel hold each of the package's {len(files)} files once; the wheel is pre-filled"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
