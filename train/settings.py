"""The settings of every learner side by side, as Markdown: docs/settings.md."""

from __future__ import annotations

from unseen.agents.roster import KINDS, ROSTER
from unseen.train.info import settings_of

HEAD = """# Settings of every learner

The defaults, as `unseen train AGENT ENV --set NAME=VALUE` changes them. Settings of one name and meaning share a row.

Made by `unseen list --settings > docs/settings.md`; a test compares the two.
"""


def page() -> str:
    """The text of docs/settings.md. Raises MissingExtra if training is not installed."""
    sections = [HEAD]
    for kind in KINDS:
        names = [row.name for row in ROSTER.values() if row.kind == kind and row.trainable]
        if names:
            sections.append("\n".join([f"## {kind.capitalize()}", "", *_table(names)]) + "\n")
    return "\n".join(sections)


def _table(names: list[str]) -> list[str]:
    """A row for each setting and meaning, a column for each learner."""
    defaults: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        for setting, default, meaning in settings_of(name):
            defaults.setdefault((setting, meaning), {})[name] = default
    order = list(dict.fromkeys(setting for setting, _ in defaults))  # rows of one name stand together
    rows = [f"| setting | {' | '.join(names)} | meaning |", "|---" * (len(names) + 2) + "|"]
    for setting, meaning in sorted(defaults, key=lambda row: order.index(row[0])):
        cells = [defaults[setting, meaning].get(name, "") for name in names]
        rows.append(f"| `{setting}` | {' | '.join(cells)} | {meaning} |")
    return rows
