"""`python -m device_agent.cli`: the same as `fieldmesh-device`."""

import sys

from device_agent.cli import main

if __name__ == "__main__":
    sys.exit(main())
