"""Tables and arrays as people have them: read, understood, and turned into numbers, with word of every decision.

`table.understood` reads a table's columns, `labels` decides between numbers and classes, `understanding` says what was decided.
"""
