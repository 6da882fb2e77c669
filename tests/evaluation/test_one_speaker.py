"""Recordings of two speakers are told from those of one."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.evaluation.identity import unit
from prosody_transfer.evaluation.one_speaker import ALIKE, two_groups
from prosody_transfer.evaluation.references import known_voices, references


@pytest.mark.parametrize("name", known_voices())
def test_the_recordings_of_a_shipped_voice_are_one_speakers(name):
    found = two_groups(references(name))
    assert found.one_speaker and found.alike > ALIKE


@pytest.mark.parametrize("share", [2, 4, 6])
def test_any_two_shipped_voices_mixed_are_two_speakers_and_the_fewer_are_named(share):
    names, missed = known_voices(), []
    for a in names:
        for b in (n for n in names if n != a):
            mixed = np.concatenate([references(a)[:12], references(b)[:share]])
            found = two_groups(mixed)
            if found.one_speaker or set(found.smaller) != set(range(12, 12 + share)):
                missed.append((a, b, found))
    assert len(missed) <= len(names) * (len(names) - 1) * 0.05, missed


def test_one_odd_recording_is_no_second_speaker():
    vectors = unit(np.eye(8)[[0] * 9] + 0.05 * np.random.default_rng(0).standard_normal((9, 8)))
    odd = np.concatenate([vectors, np.eye(8)[[3]]])
    assert two_groups(odd).smaller == (9,) and two_groups(odd).one_speaker


@pytest.mark.parametrize("count", [0, 1, 5])
def test_of_few_recordings_nothing_is_said(count):
    assert two_groups(np.eye(8)[:count]).one_speaker


def test_recordings_that_are_all_the_same_are_one_speakers():
    assert two_groups(np.ones((10, 4))).one_speaker
