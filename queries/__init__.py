"""The shipped query sets, one folder each: ``v1``. A released set is frozen."""
