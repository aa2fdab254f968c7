"""A page on which the tables of all studies can be explored in a browser, without a network."""
