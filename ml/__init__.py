"""The model: encoders, features, training, evaluation, prediction.

Imports mlmkg, never the command line.
"""
