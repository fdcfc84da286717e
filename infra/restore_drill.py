#!/usr/bin/env python3
"""The restore drill: bring the database back to a moment ago, beside the real one, and see whether all is there.

    infra/restore_drill.py --environment prod

It restores into a new server, counts rows there and in the real one from inside the network, says how long it
took and how much was missing, and deletes the new server again. The real server is only read.
docs/backup-and-recovery.md says when to run it and what the numbers are compared with.
"""

import sys

from operations.drill import main

if __name__ == "__main__":
    sys.exit(main())
