"""``python -m glacier_qgis.models JOB.json`` runs one job; ``--warm SECONDS`` runs many."""

import sys

from glacier_qgis.models.app.runner import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
