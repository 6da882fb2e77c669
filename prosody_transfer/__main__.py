"""`python -m prosody_transfer`: the `ptx` command, where its name is taken by GNU ptx."""

from prosody_transfer.cli import main

if __name__ == "__main__":
    main()
