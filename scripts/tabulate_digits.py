"""Write learnability/explorer/digits.json, the spectra that the page "predict" holds; three minutes."""

import json
from pathlib import Path

from learnability.common.store import write_text
from learnability.explorer import digits

if __name__ == "__main__":
    write_text(Path(digits.__file__).with_suffix(".json"), json.dumps(digits.table(), indent=0) + "\n")
