"""`python -m unseen` is the command `unseen`."""

import sys

from unseen.train.cli import main

sys.exit(main())
