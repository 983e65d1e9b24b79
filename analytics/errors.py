"""What the analyses refuse, in sentences for the person who sent the data."""


class BadData(ValueError):
    """The data cannot be used as it stands. The message names the field, the value seen and the remedy."""
