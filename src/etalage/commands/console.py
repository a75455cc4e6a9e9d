"""What the commands print for their user."""

from rich.console import Console

__all__ = ["console", "say"]

console = Console(highlight=False)


def say(text: str) -> None:
    """Print a line and let the terminal wrap it, so that paths can be copied whole.

    Args:
        text: The line; it may hold catalogue text, so no markup in it is interpreted.
    """
    console.print(text, soft_wrap=True, markup=False)
