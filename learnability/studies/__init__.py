"""Studies and experiments as a configuration describes them, checked before any job starts."""
