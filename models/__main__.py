"""``python -m glacier_qgis.models JOB.json``: run one job and exit; ``--warm SECONDS``: many."""

import sys

from glacier_qgis.models.app.runner import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
