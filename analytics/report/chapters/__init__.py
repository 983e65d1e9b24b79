"""What each kind of result becomes: `summary(source)` for the first pages, `chapter(source)` for its own."""
