"""What the pages share: how things look, how figures and times are said, the parts of a page."""
