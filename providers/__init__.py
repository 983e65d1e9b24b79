"""Doors to outside systems, behind small protocols, each with an honest local default."""
