"""Reasons for which a product or its picture is dropped, as exceptions."""

__all__ = ["BadPicture", "UnfitProduct"]


class UnfitProduct(ValueError):
    """Raised for a product that cannot be learned from; `prepare` drops it and counts the reason.

    Args:
        reason: One of a small set of words, for counting.
        detail: What was found, for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        # pickle calls an exception with its `args`, here a single message; workers send these to their parent
        return type(self), (self.reason, self.detail)


class BadPicture(UnfitProduct):
    """Raised for a picture that cannot be shown to the model."""
