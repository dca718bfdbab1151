"""The keys of an installation: separate by purpose, each with a number, kept in the database wrapped by its secret."""
