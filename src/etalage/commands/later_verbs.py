"""What the verbs after this one will lack: said before hours of work, not after them."""

from collections.abc import Mapping

from etalage.console import say
from etalage.evaluate.intervals import MIN_GROUPS
from etalage.wording import count

__all__ = ["say_missing_splits"]


def say_missing_splits(num_products: Mapping[str, int], num_test_groups: int) -> None:
    """Print what training and evaluation cannot do for want of products.

    Args:
        num_products: The products by split.
        num_test_groups: The groups in the test split.
    """
    if not num_products["train"]:
        say("note: there are no training products, so `etalage train` has nothing to learn from")
    if not num_products["validation"]:
        say("note: there are no validation products, so training keeps its last epoch and not its best one")
    if not num_products["test"]:
        say(
            "note: there are no test products, so `etalage evaluate` needs --split validation or --split train; "
            "--test-fraction of `etalage prepare` makes some"
        )
    elif num_test_groups < MIN_GROUPS:
        say(
            f"note: the test split has {count(num_test_groups, 'group')} of products; with fewer than {MIN_GROUPS}, "
            "`etalage evaluate` gives scores, but no intervals and no conclusion"
        )
