"""Check that an sdist and a wheel contain every file of the package exactly once.

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
    """Path in the checkout -> installed path, for every file of the package."""
    listed = subprocess.run(["git", "ls-files", *FOLDERS], check=True, capture_output=True, text=True)
    return {
        path: target + path.removeprefix(folder)
        for path in listed.stdout.splitlines()
        if path not in LINKS
        for folder, target in FOLDERS.items()
        if path.startswith(folder)
    }


def problems(what: str, found: list[str], wanted: set[str]) -> list[str]:
    """Files that are missing from an archive, or contained twice (possibly under another name)."""
    twice = [name for name, count in Counter(found).items() if count > 1]
    through_links = [name for name in found if any(name.startswith(link + "/") for link in LINKS)]
    return (
        [f"{what} does not contain {name}" for name in sorted(wanted - set(found))]
        + [f"{what} contains {name} twice" for name in twice]
        + [f"{what} contains a copy {name}" for name in through_links]
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
    wrong += [f"the sdist contains {name}" for name in in_sdist if name.endswith("/prefilled.xz")]
    wrong += [f"the wheel contains {name}, which is not in the repository" for name in extra]
    print("\n".join(wrong) or f"sdist and wheel contain each of the {len(files)} files of the package once")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
