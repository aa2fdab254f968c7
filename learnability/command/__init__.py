"""The command `learnability`: predictions on the terminal, configurations checked, results shown, the workflow run."""
