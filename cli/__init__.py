"""The command line: one command, one file; a thin skin over the library.

A command reads its options, calls one library function and prints its result. Results go to stdout,
messages and progress to stderr. Heavy imports stand inside the commands, so that ``--help`` answers
at once.
"""
