"""``python -m paiview``."""

from paiview.cli.main import main

if __name__ == "__main__":
    main()
