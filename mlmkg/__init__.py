"""mlmkg: a dataset you can read as queries.

Everything the graph holds came from a SPARQL file that a person can open, is kept in a named graph
with the provenance of that file, and what a model learns from it goes back in as triples. The
package imports neither torch nor click; ``mlmkg.ml`` is the model, ``mlmkg.cli`` the command line.
"""

__version__ = "0.1.0"
