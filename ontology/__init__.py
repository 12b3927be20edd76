"""The vocabulary, its shapes, and the countries, as files."""
