#!/usr/bin/env python3
"""Parlour's estate on Azure, by one command: `infra/estate.py up | status | verify | … | down`.

Nothing but Python 3.11, `az`, `kubectl` and `helm` is needed on the machine that runs it. Every command is safe
to repeat, says what it does while it does it, and shows what it would do with `--dry-run`.
The commands are in `operations/`, one module each; what is deployed is `main.bicep` and the chart in `helm/`.
"""

import sys

from operations.cli import main

if __name__ == "__main__":
    sys.exit(main())
