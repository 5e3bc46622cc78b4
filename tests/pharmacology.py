"""How far the pharmacology of Dosing is from references that nobody here wrote: `python tests/pharmacology.py` prints the table.

tests/pharmacology.json holds values of python-anesthesia-simulator 1.0.0: concentrations of 40 patients by two models, and BIS.
They are stored, because that package cannot be installed beside ours: it needs control 0.9.4, which does not import with NumPy 2,
and it brings 360 MB (casadi, pandas). `--write` makes the file anew, in an environment of its own: `pip install
python-anesthesia-simulator scipy`, and nothing of ours.
"""

import json
import sys
from pathlib import Path

import numpy as np

STORED = Path(__file__).parent / "pharmacology.json"
STEPS, TIMES = 360, tuple(range(60, 361, 60))  # of 10 s; steps after which concentrations are stored
MODELS = ("Schnider", "Marsh_initial")  # of the two, only Schnider's ke0 is ours
LEVELS = (0.5, 1.0, 2.0, 3.0, 4.0, 4.47, 5.0, 6.0, 8.0, 12.0)  # ug/ml at which BIS is stored


def rate(k: int) -> float:
    """The infusion in step k, mg/min: a minute at full rate, half an hour of maintenance, then nothing."""
    return 100.0 if k < 6 else 12.0 if k < 186 else 0.0


def write() -> None:
    """Make the stored values anew from python-anesthesia-simulator."""
    sys.modules["numpy.linalg.linalg"] = np.linalg  # which control 0.9.4 imports
    from python_anesthesia_simulator.pd_models import BIS_model
    from python_anesthesia_simulator.pk_models import CompartmentModel

    rng = np.random.default_rng(1)
    runs = []
    for _ in range(40):
        age, height, weight = (round(float(rng.uniform(*ends)), 2) for ends in ((20, 85), (150, 195), (45, 115)))
        male = int(rng.integers(0, 2))
        ratio = (weight / height) ** 2
        lean = 1.1 * weight - 128 * ratio if male else 1.07 * weight - 148 * ratio
        for name in MODELS:
            model = CompartmentModel([age, height, weight, male], lean, "Propofol", model=name, ts=10.0, x0=np.zeros(6))
            rows = []
            for k in range(STEPS):
                model.one_step(rate(k) / 60.0)  # mg/s
                if k + 1 in TIMES:
                    rows.append(np.ravel(model.x)[:4].tolist())
            runs.append(dict(model=name, age=age, height=height, weight=weight, male=male, concentrations=rows))
    hill = BIS_model()
    bis = [float(np.ravel(hill.compute_bis(level, 0.0))[0]) for level in LEVELS]
    STORED.write_text(json.dumps(dict(runs=runs, bis=bis)).replace('{"model"', '\n{"model"') + "\n")


def errors() -> dict[str, tuple[float, float, str]]:
    """What is compared -> (greatest error, what is tolerated, unit)."""
    from scipy.linalg import expm

    from unseen.envs.core.device import host
    from unseen.envs.industry.kit import pharmacology as kit

    schnider, marsh, discretise, infuse, flow, bis_of = map(
        host, (kit.schnider, kit.marsh, kit.discretise, kit.infuse, kit.flow, kit.bis_of)
    )
    drug = np.zeros(1, kit.DRUG)[0]
    state = ("c1", "c2", "c3", "ce")

    def concentrations() -> np.ndarray:
        return np.array([float(drug[name]) for name in state])

    def matrix() -> np.ndarray:
        k10, k12, k13, k21, k31, ke0 = (float(drug[name]) for name in ("k10", "k12", "k13", "k21", "k31", "ke0"))
        a = np.zeros((5, 5))  # the fifth row is the constant rate
        a[0] = -(k10 + k12 + k13), k12, k13, 0, 1 / float(drug["v1"])
        a[1, :2] = k21, -k21
        a[2, 0], a[2, 2] = k31, -k31
        a[3, 0], a[3, 3] = ke0, -ke0
        return a

    stored = json.loads(STORED.read_text())
    outside = dict.fromkeys(MODELS, 0.0)
    step = 0.0
    for run in stored["runs"]:
        if run["model"] == "Schnider":
            schnider(drug, run["age"], run["height"], run["weight"], run["male"])
        else:
            marsh(drug, run["weight"])
            drug["ke0"] = 0.26
        exact = expm(matrix() / 6.0)
        discretise(drug, 1.0 / 6.0)
        step = max(step, np.abs(drug["phi"] - exact[:4, :4]).max(), np.abs(drug["gain"] - exact[:4, 4]).max())
        rows = []
        for k in range(STEPS):
            infuse(drug, rate(k))
            if k + 1 in TIMES:
                rows.append(concentrations())
        wrong = float(np.abs(np.array(rows) - np.array(run["concentrations"])).max())
        outside[run["model"]] = max(outside[run["model"]], wrong)

    marsh(drug, 70.0)
    values, vectors = np.linalg.eig(matrix()[:3, :3])
    parts = np.linalg.solve(vectors, np.array([140.0 / float(drug["v1"]), 0, 0]))
    bolus = 0.0
    discretise(drug, 1.0 / 6.0)
    drug["c1"] = 140.0 / float(drug["v1"])
    for k in range(720):
        infuse(drug, 0.0)
        exponential = (vectors[0] * parts * np.exp(values * (k + 1) / 6.0)).sum().real
        bolus = max(bolus, abs(float(drug["c1"]) - exponential))

    found = {
        "Schnider, 40 patients, an hour: python-anesthesia-simulator": (outside["Schnider"], 1e-7, "ug/ml"),
        "Marsh, the same": (outside["Marsh_initial"], 1e-7, "ug/ml"),
        "a step of 10 s of these 80: scipy's expm": (float(step), 1e-12, "ug/ml"),
        "Marsh, a bolus of 2 mg/kg, two hours: tri-exponential": (bolus, 1e-8, "ug/ml"),
    }
    for name, ke0, minutes in (
        ("Schnider", 0.456, 1.55),
        ("Marsh, ke0 1.2", 1.2, 1.62),
        ("Marsh, ke0 .26", 0.26, 3.92),
    ):
        if name == "Schnider":
            schnider(drug, 53.0, 177.0, 77.0, 1)
        else:
            marsh(drug, 70.0)
            drug["ke0"] = ke0
        for other in state:
            drug[other] = 0.0
        drug["c1"] = 100.0 / float(drug["v1"])
        levels = []
        for _ in range(600):
            flow(drug, 0.0, 1.0 / 60.0)
            levels.append(float(drug["ce"]))
        peak = (int(np.argmax(levels)) + 1) / 60.0
        found[f"{name}: time to peak effect {minutes} min"] = (abs(peak - minutes), 1 / 60, "min")
    bis = np.array([bis_of(level, kit.C50, kit.GAMMA) for level in LEVELS])
    found["BIS at ten concentrations: python-anesthesia-simulator"] = (
        float(np.abs(bis - stored["bis"]).max()),
        1e-9,
        "BIS",
    )
    return found


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        print("Dosing: the greatest error of its pharmacology (python tests/pharmacology.py)\n")
        print(f"{'compared with a reference':62} {'error':>9} {'tolerated':>9}")
        for what, (error, tolerated, unit) in errors().items():
            print(f"{what:62} {error:9.1e} {tolerated:9.1e} {unit}{'' if error <= tolerated else '   TOO LARGE'}")
