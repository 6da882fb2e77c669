"""Written text to the words that are said: lower case, letters a-z and the apostrophe, nothing else."""

from __future__ import annotations

from prosody_transfer.text.readings import text_tokens


def normalise(text: str) -> list[str]:
    """The words of a text as they are likeliest spoken, each of letters a-z and apostrophes only.

    Raises:
        TranscriptError: Nothing to say, or a word that cannot be pronounced (it is named).

    >>> normalise("Dr. Smith paid $3.50 in 1998 — the BBC's 21st “well-known” prize.")
    ... # doctest: +NORMALIZE_WHITESPACE
    ['doctor', 'smith', 'paid', 'three', 'dollars', 'and', 'fifty', 'cents', 'in', 'nineteen', 'ninety', 'eight',
     'the', 'b', 'b', "c's", 'twenty', 'first', 'well', 'known', 'prize']
    """
    return [word for _, spoken in words_with_origin(text) for word in spoken]


def words_with_origin(text: str) -> list[tuple[str, list[str]]]:
    """Each written word, without the punctuation around it, and the words it is likeliest spoken as.

    Raises:
        TranscriptError: As `normalise`.

    >>> words_with_origin("Pay $5, now!")
    [('Pay', ['pay']), ('$5', ['five', 'dollars']), ('now', ['now'])]
    """
    return [(written, list(spoken)) for token in text_tokens(text) for written, spoken in token.readings[0]]
