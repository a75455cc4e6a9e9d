"""From a prepared catalogue to the laws of its columns, of its families and of its pictures."""
