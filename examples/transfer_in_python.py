"""Say a recording again in another voice, from Python: python examples/transfer_in_python.py [SOURCE] [VOICE]"""

import sys
from pathlib import Path

import prosody_transfer as ptx

source = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "audio" / "source.flac"
speaker = sys.argv[2] if len(sys.argv) > 2 else "alice"

# The words are found in source.txt, beside the recording. The networks are loaded once and kept for the next call.
result = ptx.transfer.from_file_to_file(source, speaker, f"{source.stem}.{speaker}.wav", overwrite=True)
print(result.report["output"], f"{result.source_seconds:.2f} s", "F0 correlation", result.report["f0_correlation"])
