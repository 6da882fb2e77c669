"""Where streams are cut."""

from __future__ import annotations

import numpy as np
import pytest

from prosody_transfer.streaming.cutting import PhraseCutter

RATE, HOP = 24000, 256


def noise(seconds: float, level: float) -> np.ndarray:
    rng = np.random.default_rng(round(1000 * seconds))
    return (level * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def cuts(sound: np.ndarray, size: int = 4800, longest: float = 3.0) -> list[tuple[int, bool]]:
    cutter = PhraseCutter(RATE, HOP, longest)
    return [cut for at in range(0, len(sound), size) for cut in cutter.push(sound[at : at + size])]


def test_a_clear_pause_ends_a_phrase() -> None:
    found = cuts(np.concatenate([noise(2.0, 0.1), noise(0.5, 1e-4), noise(1.0, 0.1)]))
    assert len(found) == 1 and found[0][1]
    assert 2.05 < found[0][0] / RATE < 2.45 and found[0][0] % HOP == 0


def test_of_short_pauses_the_best_is_taken_when_it_gets_too_long() -> None:
    parts = [noise(0.9, 0.1), noise(0.14, 1e-4), noise(0.8, 0.1), noise(0.2, 1e-4), noise(2.0, 0.1)]
    (cut, _), *_ = cuts(np.concatenate(parts))
    assert 1.84 < cut / RATE < 2.04


@pytest.mark.parametrize("longest", [1.0, 3.0, 8.0])
def test_no_phrase_is_longer_than_is_allowed(longest: float) -> None:
    found = [0, *(cut for cut, _ in cuts(noise(25.0, 0.1), longest=longest))]
    assert len(found) >= 3
    assert max(np.diff(found)) <= longest * RATE + HOP and min(np.diff(found)) >= 0.49 * RATE


def test_an_offset_is_no_speech_and_speech_beside_it_is() -> None:
    silence = noise(4.0, 1e-5) + np.float32(0.2)
    assert [speaks for _, speaks in cuts(silence)] == [False]
    assert True in [speaks for _, speaks in cuts(silence + np.pad(noise(1.0, 0.05), (RATE, 2 * RATE)))]


def test_cuts_do_not_depend_on_how_the_sound_comes() -> None:
    sound = np.concatenate([noise(1.0 + 0.1 * k, 0.1 if k % 2 else 3e-4) for k in range(8)])
    expected = cuts(sound, len(sound))
    assert len(expected) >= 3
    assert all(cuts(sound, size) == expected for size in (239, 5000))
