"""Learn the files of pictures, and which pictures are placeholders."""

import random
from collections import Counter

from etalage.sample.mimic.appearances import Appearances
from etalage.sample.mimic.learners.analysis import Analysis
from etalage.sample.mimic.picture_headers import read_header
from etalage.sample.mimic.suppressed_counts import K

__all__ = ["learn_appearances", "learn_placeholder_share"]

_MAX_PICTURES = 5_000
"""Pictures whose headers are read."""


def learn_appearances(analysis: Analysis) -> Appearances:
    """Read headers of the original's pictures, and rank the categories that pictures have to show."""
    known, tree = analysis.known, analysis.tree
    rows = list(range(len(known)))
    if len(rows) > _MAX_PICTURES:
        rows = sorted(random.Random(analysis.seed).sample(rows, _MAX_PICTURES))
    headers = [read_header(known.folder / known.pictures[row]) for row in rows]
    shares: Counter[str] = Counter()
    for path, share in tree.shares.items():
        shares[path[tree.picture_level]] += share  # type: ignore[assignment]
    ranked = [name for name, _ in shares.most_common()]
    return Appearances.learn(headers, [tree.paths[row] for row in rows], ranked)


def learn_placeholder_share(analysis: Analysis) -> float:
    """Return the share of rows with a placeholder for a picture; 0 if fewer than K rows have one."""
    count = sum(analysis.known.placeholders)
    return count / len(analysis.known) if count >= K else 0.0
