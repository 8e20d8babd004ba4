"""`python -m jarkeeper` is the command `jarkeeper`."""

from jarkeeper.cli import main

if __name__ == "__main__":
    main()
