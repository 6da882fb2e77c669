"""`ptx linguistics`: what the words of a text are to each other, and how readers would stress and part them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prosody_transfer.cli import _options as o
from prosody_transfer.cli._shared import print_json, print_table
from prosody_transfer.cli._terminal import say, say_lines
from prosody_transfer.core.errors import UsageError

if TYPE_CHECKING:
    from prosody_transfer.text.linguistics.analysis import Sentence

EPILOG = """\b
Examples:
  ptx linguistics "Did the parcel come by post, or by hand?"
  ptx linguistics --input-file script.txt --json
  ptx linguistics --words words.jsonl --json"""


def linguistics(
    text: o.TextArgument = None, input_file: o.InputFile = None, words: o.WordLists = None, json: o.Json = False,
) -> None:  # fmt: skip
    """Tag and parse a text, and say which words would be prominent and where a reader would pause.

    Prominence is 0, 1 or 2; so is the boundary after a word. --words takes a JSON list a line, punctuation as items of
    its own: with --json a line comes out for each, with null at punctuation. Needs the speak extra.
    """
    from prosody_transfer.core.extras import LANGUAGE, require

    given = [value for value in (text, input_file, words) if value is not None]
    if len(given) != 1:
        problem = "needs a text" if not given else "takes one of TEXT, --input-file and --words"
        raise UsageError(problem, place="ptx linguistics", remedy='such as: ptx linguistics "Did she call?"')
    require("speak", LANGUAGE, "ptx linguistics")
    from prosody_transfer.text.linguistics.analysis import analyse, analyse_items, items_as_json, text_as_json
    from prosody_transfer.text.linguistics.word_lists import read_sentences, read_word_lists

    if words is not None:
        lists = read_word_lists(words)
        for sentence, items in zip(analyse_items(lists), lists, strict=True):
            if json:
                _print_line(items_as_json(sentence, len(items)))
            elif sentence is not None:
                _print_sentence(sentence)
        return
    found = analyse(text if text is not None else read_sentences(input_file))  # type: ignore[arg-type]
    if json:
        print_json(text_as_json(found))
    else:
        for sentence in found:
            _print_sentence(sentence)


def _print_line(value: object) -> None:
    from json import dumps

    say_lines(dumps(value), as_json=True)


def _print_sentence(sentence: Sentence) -> None:
    """Its kind, and a row a word; the sum of what readers do, not what one must do."""
    found = sentence.as_json()
    say(found["kind"].replace("_", " "), found["parse"])
    say()
    rows = [["WORD", "TAG", "RELATION", "HEAD", "CLASS", "DISTANCE", "PROMINENCE", "BOUNDARY"]]
    for i, word in enumerate(found["words"]):
        kind = "open" if found["open_class"][i] else "closed"
        kind += f", {found['compound'][i]} of compound" if found["compound"][i] else ""
        shown = f"{found['before'][i]}{word}{found['after'][i]}"
        head = "" if found["heads"][i] == i else found["words"][found["heads"][i]]
        rows.append([
            shown, found["tags"][i], found["deps"][i].lower(), head, kind, str(found["syntactic_distances"][i]),
            f"{found['prominence'][i]}  {found['prominence_value'][i]:.2f}",
            f"{found['boundary'][i]}  {found['boundary_probability'][i]:.2f}",
        ])  # fmt: skip
    print_table(rows, right=(5,))
    say()
