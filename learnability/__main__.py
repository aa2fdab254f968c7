"""`python -m learnability` is the command `learnability`."""

from .command.main import main

main(prog_name="learnability")
