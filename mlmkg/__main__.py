"""``python -m mlmkg`` is the ``mlmkg`` command.

The one place where the lowest storey names the highest: Python looks for this file here.
"""

from mlmkg.cli.main import main

if __name__ == "__main__":
    main()
