#!/usr/bin/env bash
# Dub a folder of takes into one voice.
#
#   examples/dub_folder.sh takes/ alice dubbed/
#
# takes/ may have sub-folders; dubbed/ gets the same ones. Put the words of takes/one.wav into takes/one.txt, where you
# have them: without them the words (or the phones) are recognised, which is less exact. What is done already is not done
# again, so after a failure, mend it and run the same line. Failures are listed at the end.
set -euo pipefail

takes=${1:?usage: dub_folder.sh TAKES VOICE DUBBED}
voice=${2:?usage: dub_folder.sh TAKES VOICE DUBBED}
dubbed=${3:?usage: dub_folder.sh TAKES VOICE DUBBED}

ptx transfer "$takes" --speaker "$voice" --out-dir "$dubbed"
