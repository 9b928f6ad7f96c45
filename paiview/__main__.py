"""``python -m paiview``."""

from paiview.cli import main

if __name__ == "__main__":
    main()
