"""The report of a version: one page of statistics and pictures, from tables and from the store."""
