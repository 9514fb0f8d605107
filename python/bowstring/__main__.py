"""Run the command line as `python -m bowstring`."""

import sys

from bowstring.cli import main

sys.exit(main())
