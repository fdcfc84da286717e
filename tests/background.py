"""`python -m tests.background REPORT`: the image's environment, promtool, and checkov's report, one after the other.

Nothing is said here: what cannot be done is tried again, and explained, by the test that needs it.
"""

import contextlib
import sys
from pathlib import Path

from tests import fetched_tools, image_environment, policies


def main(report: Path) -> None:
    for step in (image_environment.make, fetched_tools.promtool, lambda: policies.write_report(report)):
        # pytest's way of skipping is no Exception.
        with contextlib.suppress(Exception, fetched_tools.Missing):
            step()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
