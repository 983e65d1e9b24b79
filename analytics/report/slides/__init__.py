"""The document on slides: a PPTX by python-pptx."""
