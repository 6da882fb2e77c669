"""How much of the distance to the exact answers comes from the front end: the oracle driven by what ptx measures.

The oracle's synthesiser speaks each target voice from the source's own durations, F0 and energy, and then with each
replaced by what ptx measures in the recording. What then is left to ptx's own outputs is its decoder and vocoder.

Usage: front_end.py ORACLE_DIR ORACLE_CODE TRANSFER_SET CORPUS OUT.json [--pairs 24] [--calibrate 120]
ORACLE_CODE holds oracle.py; CORPUS is a JSON-lines list of utterances by the oracle that are not in the set. Fitted on
them: the oracle's unit of energy from dB, and how far its phones' edges lie from ptx's (they lead their sound).
"""

from __future__ import annotations

import argparse
import json
import sys
import types
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from prosody_transfer.alignment.match import align_sequences
from prosody_transfer.analysis.analyse import Analysis
from prosody_transfer.audio.resample import resample
from prosody_transfer.evaluation import prosody, quality, references, speaker, spectral, trackers
from prosody_transfer.evaluation.controls import Controls
from prosody_transfer.evaluation.figures import EVALUATION_RATE, load
from prosody_transfer.evaluation.pairs import Pair
from prosody_transfer.synthesis.plan import GATE_DB
from prosody_transfer.synthesis.transfer import Transferer
from prosody_transfer.text.phones import VOWELS

FRAME, STEP, UNVOICED_HZ = 0.025, 0.0125, 4.0
SPEAKERS = "bf_alice bf_emma af_heart af_sky am_adam am_fenrir am_michael am_onyx bm_george bm_lewis"
VOICES = {name[3:]: name for name in SPEAKERS.split()}
ARPABET = """A=EY I=AY O=OW Q=OW W=AW Y=OY a=AE æ=AE ɑ=AA ɒ=AA ɔ=AO ə=AH ɐ=AH ʌ=AH ᵊ=AH ɛ=EH ɜ=ER i=IY ɪ=IH ᵻ=IH u=UW
ʊ=UH b=B d=D f=F h=HH j=Y k=K l=L m=M n=N p=P s=S t=T T=T v=V w=W z=Z ð=DH ŋ=NG ɡ=G ɹ=R ʃ=SH ʒ=ZH ʤ=JH ʧ=CH θ=TH"""
IPA = {pair[0]: pair[2:] for pair in ARPABET.split()}
ROWS = {  # what is ptx's; "apart": edges moved only by what ptx finds otherwise in the source than in the answer
    "(a) nothing": "", "(b) F0 and voicing": "f0 voicing", "(b1) F0 in exact voicing": "f0",
    "(c) phone boundaries": "edges", "(c1) boundaries, source less answer": "apart", "(d) energy": "energy",
    "(e) F0, voicing, boundaries, energy": "f0 voicing edges energy", "(e1) F0, voicing, energy": "f0 voicing energy",
}  # fmt: skip
COLUMNS = ("similarity", "margin", "mcd_db", "f0_correlation", "f0_cents", "ffe", "energy_correlation", "dnsmos")
ERRORS = ("edges, ms", "source less answer, ms", "F0, cents (median)", "over 100 cents", "voicing", "r of energy")


def load_oracle(folder: Path, code: Path) -> tuple[Any, Any]:
    """The oracle and its `retarget`; phones are known here, so its G2P need not be installed."""
    sys.path.insert(0, str(code))
    g2p: Any = types.SimpleNamespace(G2P=lambda **_: None)
    sys.modules.update({"hibari": types.ModuleType("hibari"), "hibari.g2p": g2p})
    import oracle

    return oracle.Oracle(folder, threads=1), oracle.retarget


def anchors(phones: str, durations: np.ndarray, source: Analysis) -> dict[int, tuple[str, float, float]]:
    """Where each phone begins: {place in the string: (kind of beginning, the oracle's edge, ptx's)}, seconds.

    Stress marks and spaces belong to the phone after them, pauses to none.
    """
    edges = np.concatenate([[0], np.cumsum(durations)]) * FRAME
    at = [i for i, c in enumerate(phones) if c in IPA]  # token i + 1 of the oracle
    heard, found = source.alignment.phones, {}
    for k, j in align_sequences([IPA[phones[i]] for i in at], [p.phone for p in heard]):
        if k is None or j is None:
            continue
        low = at[k - 1] + 1 if k else 0
        marks = phones[low : at[k]]
        pause = k == 0 or any(c in ",.?!;:—…" for c in marks)
        before = "pause" if pause else "space" if " " in marks else "stress" if marks.strip("ː") else "phone"
        kind = before + (" vowel" if IPA[phones[at[k]]] in VOWELS else " consonant")
        found[at[k]] = kind, edges[(at[k] if pause else low) + 1], heard[j].start
    return found


def moved_durations(durations: np.ndarray, shifts: dict[float, float]) -> np.ndarray:
    """Frames a token, at least 1, their sum kept: edges at some times (s) moved, those between them in proportion."""
    total, size = durations.sum(), len(durations)
    times = sorted(shifts)
    to = np.maximum.accumulate(np.clip([t + shifts[t] for t in times], 0, total * FRAME))
    edges = np.interp(np.cumsum(durations) * FRAME, [0, *times, total * FRAME], [0, *to, total * FRAME])
    spare = np.round(edges / FRAME).astype(int) - np.arange(1, size + 1)  # frames beyond one for each token so far
    return np.diff(np.maximum.accumulate(np.clip(spare, 0, total - size)), prepend=0) + 1


def measured(source: Analysis, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What ptx measures, at 80 Hz: ln F0, voiced, energy in dB, (size,) each."""
    features, alignment = source.features, source.alignment
    rate, hop = features.config.sample_rate, features.config.hop_length
    silent = np.repeat([p.phone == "SIL" for p in alignment.phones], alignment.durations(features.n_frames, rate, hop))
    voiced = features.voiced & (features.energy_db > GATE_DB) & ~silent
    at, frames = np.arange(size) * STEP * rate / hop, np.arange(features.n_frames)
    log_f0, share, power = (np.interp(at, frames, v) for v in (features.log_f0, voiced, features.energy_db))
    return log_f0, share > 0.5, power


def calibrate(oracle: Any, controls: Controls, corpus: Path, count: int) -> tuple[Any, Any, Any]:
    """dB and the oracle's energy there, corners of a line that never falls; ptx's edges less its, by kind (s)."""
    usable = lambda row: row["driver"] is None and row["seconds"] < 7
    rows = [*filter(usable, map(json.loads, corpus.read_text(encoding="utf8").splitlines()))]
    power, units, apart = [], [], defaultdict(list)
    for row in rows[:: max(1, len(rows) // count)][:count]:
        path = str(corpus.parent / row["audio"])
        source = controls.analyse(Pair(id=path, source=path, speaker=row["speaker"], text=row["text"])).analysis
        durations = np.array(row["durations_25ms"])
        style = VOICES[row["speaker"]], durations[None].astype(np.float32)
        units.append(oracle.contours(oracle.tokens(row["phones"]), *style)[1].ravel())
        power.append(measured(source, len(units[-1]))[2])
        for kind, theirs, ours in anchors(row["phones"], durations, source).values():
            apart[kind].append(ours - theirs)
    x, y = np.concatenate(power), np.concatenate(units)
    bins = [(x >= low) & (x < low + 2.5) for low in np.arange(-50.0, 25.0, 2.5)]
    db, level = np.transpose([(x[inside].mean(), np.median(y[inside])) for inside in bins if inside.sum() >= 10])
    return db, np.maximum.accumulate(level), {kind: float(np.median(v)) for kind, v in apart.items()}


class Driver:
    """Says one source in one voice, with what `ROWS` names taken from ptx and the rest exact."""

    def __init__(self, oracle: Any, retarget: Any, row: Any, source: Analysis, answer: Analysis, fitted: Any) -> None:
        self.oracle, self.retarget, self.durations = oracle, retarget, np.array(row["durations_25ms"])
        self.tokens, self.f0 = oracle.tokens(row["phones"]), np.array(row["f0_hz_80hz"], np.float32)
        self.energy = self.contours(row["source_voice"])[1]
        self.log_f0, self.voiced, power = measured(source, len(self.f0))
        self.units = np.interp(power, *fitted[:2])
        found, again = (anchors(row["phones"], self.durations, a) for a in (source, answer))
        self.shifts = {t: ours - t - fitted[2].get(kind, 0.0) for kind, t, ours in found.values()}
        self.apart = {found[i][1]: found[i][2] - again[i][2] for i in found if i in again}

    def contours(self, voice: str) -> list[np.ndarray]:
        return [c.ravel() for c in self.oracle.contours(self.tokens, voice, self.durations[None].astype(np.float32))]

    def say(self, voice: str, taken: str) -> np.ndarray:
        """(N,) at the figures' rate; `taken` is a value of `ROWS`. F0 is moved by as much as the exact answer's."""
        own_f0, own_energy = self.contours(VOICES[voice])
        f0, energy = self.retarget(self.f0, self.units if "energy" in taken else self.energy, own_f0, own_energy)
        if "f0" in taken:
            target, source = np.median(own_f0[own_f0 > 10]), np.median(self.f0[self.f0 > 10])
            ours = np.clip(np.exp(self.log_f0) * target / source, 0.5 * target, 2.2 * target)
            f0 = np.where(self.voiced, ours, UNVOICED_HZ) if "voicing" in taken else np.where(self.f0 > 10, ours, f0)
        shifts = self.shifts if "edges" in taken else self.apart if "apart" in taken else {}
        durations = moved_durations(self.durations, shifts)[None].astype(np.float32)
        audio = self.oracle.speak(self.tokens, VOICES[voice], durations, f0[None, None], energy[None, None])
        return resample(audio.astype(np.float32), 24_000, EVALUATION_RATE)

    def errors(self) -> list[float]:
        """`ERRORS`: how far ptx's measurements are from the exact ones; of edges, what is usual is taken out."""
        both = (self.f0 > 10) & self.voiced
        cents = 1200 / np.log(2) * np.abs(self.log_f0[both] - np.log(self.f0[both]))
        edges = [1000 * np.abs(list(s.values())).mean() for s in (self.shifts, self.apart)]
        f0 = [np.median(cents), (cents > 100).mean(), ((self.f0 > 10) != self.voiced).mean()]
        return [*map(float, [*edges, *f0, np.corrcoef(self.units, self.energy)[0, 1]])]


def figures(judge: speaker.Judge, source: np.ndarray, exact: np.ndarray, judged: np.ndarray, centre: Any) -> Any:
    """Values of `COLUMNS`, (8,); recordings at `EVALUATION_RATE`, `centre` is the target voice to the judge."""
    pitch = prosody.pitch_figures(trackers.track(source), trackers.track(judged))
    values = [judge.embed(judged) @ other for other in (centre, centre - judge.embed(source))]
    loudness, clean = prosody.energy_figures(source, judged), quality.quality_figures(judged)
    values += [spectral.spectral_figures(exact, judged)["mcd13_db"], pitch["f0_correlation"], pitch["f0_rmse_cents"]]
    return np.array([*values, pitch["ffe"], loudness["energy_correlation"], clean["dnsmos_overall"]], float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("oracle", "code", "set", "corpus", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--calibrate", type=int, default=120, help="utterances")
    parser.add_argument("--centroids", type=Path, help="npz of the judge's vectors of the voices, for the shipped ones")
    options = parser.parse_args()
    (oracle, retarget), controls = load_oracle(options.oracle, options.code), Controls(Transferer())
    fitted = calibrate(oracle, controls, options.corpus, options.calibrate)
    rows = json.loads((options.set / "manifest.json").read_text(encoding="utf8"))
    centres = np.load(options.centroids) if options.centroids else {name: references.centroid(name) for name in VOICES}
    table, errors, judge = defaultdict(list), [], speaker.Judge()
    for item, voice in [(row, voice) for row in rows for voice in row["targets"]][: options.pairs]:
        paths = [str(options.set / name) for name in (item["source"], item["targets"][voice])]
        pair, copy = (Pair(id=item["id"], source=path, speaker=voice, text=item["text"]) for path in paths)
        source, exact = map(load, paths)
        driver = Driver(oracle, retarget, item, controls.analyse(pair), controls.analyse(copy), fitted)
        errors.append(driver.errors())
        spoken = {"exact answer": exact} | {name: driver.say(voice, taken) for name, taken in ROWS.items()}
        for name, system, said in (("exact answer, vocoded", "copy_synthesis", copy), ("ptx", "ptx", pair)):
            spoken[name] = resample(*next(controls.make(said, [said], [system]))[1:], EVALUATION_RATE)
        for name, waveform in spoken.items():
            table[name].append(figures(judge, source, exact, waveform, centres[voice]).tolist())
        options.out.write_text(json.dumps({"columns": COLUMNS, "rows": table, "errors": errors}))
        print(item["id"], voice, file=sys.stderr, flush=True)
    print("| ptx's part |", " | ".join(COLUMNS), "|\n|---|" + "---|" * len(COLUMNS))
    for name, values in table.items():
        print(f"| {name} |", " | ".join(f"{v:.3f}" for v in np.nanmean(values, 0)), "|")
    print(dict(zip(ERRORS, np.mean(errors, 0).round(3).tolist(), strict=True)))


if __name__ == "__main__":
    main()
