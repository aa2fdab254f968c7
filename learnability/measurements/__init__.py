"""From training sets to learned functions and their errors: labels, kernel regression, trained networks, metrics."""
