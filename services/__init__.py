"""What may be done: modules are nouns, functions are verbs. They own the SQL."""
