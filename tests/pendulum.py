"""How far the load of Crane is from references that nobody here wrote: `python tests/pendulum.py` prints the table.

The nonlinear pendulum with a moving pivot and a growing rope is scipy's `solve_ivp` (DOP853); the period is that of small swings and, for
large ones, by the complete elliptic integral; energy is kept where nothing drives the load; a zero-vibration shaper (Singer and Seering,
1990) and the plan of least energy leave no swing behind.
"""

import math

import numpy as np

STEP, PARTS = 0.2, 4  # s, and the parts of a step
RIDES = 20


def reference(
    start: tuple[float, float], length: float, drag: float, pushes: np.ndarray, windings: np.ndarray
) -> np.ndarray:
    """Angles, rad, (steps,) after every step under these accelerations and speeds of the hoist, each held for a step."""
    from scipy.integrate import solve_ivp

    state, found = np.array(start), []
    for push, winding in zip(pushes, windings, strict=True):

        def slope(t: float, y: np.ndarray, rope: float = length, a: float = push, u: float = winding) -> list[float]:
            now = rope + u * t
            return [y[1], (-9.81 * math.sin(y[0]) - a * math.cos(y[0]) - 2 * u * y[1]) / now - drag * y[1]]

        state = solve_ivp(slope, (0, STEP), state, "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
        length += STEP * winding
        found.append(state[0])
    return np.array(found)


def errors() -> dict[str, tuple[float, float, str]]:
    """What is compared -> (greatest error, what is tolerated, unit)."""
    from scipy.integrate import solve_ivp
    from scipy.special import ellipk

    from unseen.envs.core.device import host
    from unseen.envs.industry.crane import control, reactive, rules
    from unseen.envs.industry.kit import pendulum as kit

    swing, frequency, amplitude = map(host, (kit.swing, kit.frequency, kit.amplitude))
    assert (rules.SECONDS, rules.PARTS) == (STEP, PARTS)
    found: dict[str, tuple[float, float, str]] = {}
    rng = np.random.default_rng(0)

    def ride(
        start: tuple[float, float], length: float, drag: float, pushes: np.ndarray, windings: np.ndarray
    ) -> np.ndarray:
        (angle, rate), dt, seen = start, STEP / PARTS, []
        for push, winding in zip(pushes, windings, strict=True):
            for _ in range(PARTS):
                angle, rate = swing(angle, rate, length, winding, push, drag, dt)
                length += winding * dt
            seen.append(angle)
        return np.array(seen)

    worst = {"random": 0.0, "least": 0.0}
    for _ in range(RIDES):
        start = (rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3))
        length, drag = rng.uniform(3, 12), rng.uniform(0.005, 0.03)
        pushes, windings = rng.uniform(-0.8, 0.8, 300), np.zeros(300)
        hoist = length
        for t in range(300):  # up and down between 3 and 12 m
            windings[t] = (np.clip(hoist + STEP * rng.uniform(-0.3, 0.3), 3, 12) - hoist) / STEP
            hoist += STEP * windings[t]
        given = start, length, drag, pushes, windings
        worst["random"] = max(worst["random"], float(np.abs(ride(*given) - reference(*given)).max()))
        hard = start, 3.0, drag, np.where(rng.uniform(size=300) < 0.5, -0.8, 0.8), np.zeros(300)
        worst["least"] = max(worst["least"], float(np.abs(ride(*hard) - reference(*hard)).max()))
    found[f"{RIDES} rides of a minute, 3 to 12 m: solve_ivp, DOP853"] = (worst["random"], 5e-5, "rad")
    found[f"{RIDES} rides of a minute, 3 m, trolley at its limits: the same"] = (worst["least"], 5e-5, "rad")

    def period(start: float, length: float) -> float:
        """The time between two passages through the middle in the same direction, of a load let go at `start` rad."""
        angle, rate, t, dt, crossed = start, 0.0, 0.0, 0.01, []
        while len(crossed) < 2:
            before = angle
            angle, rate = swing(angle, rate, length, 0.0, 0.0, 0.0, dt)
            t += dt
            if before > 0 >= angle:
                crossed.append(t - dt * -angle / (before - angle))
        return crossed[1] - crossed[0]

    for length in (3.0, 7.0, 12.0):
        exact = 2 * math.pi * math.sqrt(length / 9.81)
        found[f"period of a small swing, {length:g} m: closed form"] = (
            abs(period(1e-3, length) / exact - 1), 1e-5, "of it"
        )  # fmt: skip
    exact = 4 * math.sqrt(7.0 / 9.81) * ellipk(math.sin(0.4) ** 2)
    found["period of a swing of 0.8 rad, 7 m: elliptic integral"] = (abs(period(0.8, 7.0) / exact - 1), 1e-5, "of it")

    angle, rate, dt = 0.5, 0.0, STEP / PARTS

    def energy() -> float:
        return 0.5 * 5.0 * rate * rate + 9.81 * (1 - math.cos(angle))

    first = energy()
    for _ in range(300 * PARTS):
        angle, rate = swing(angle, rate, 5.0, 0.0, 0.0, 0.0, dt)
    found["energy after a minute without drag, 5 m, 0.5 rad"] = (abs(energy() / first - 1), 1e-5, "of it")

    shaped = host(reactive.shaped)
    wrong = 0.0
    for length in (4.0, 8.0, 12.0):
        over = shaped(0.0, 20.0, length, 0.3)[1]
        edges = [0.0]
        while edges[-1] < over:
            edges.append(edges[-1] + 0.01)
        angle = rate = 0.0
        for t in edges[:-1]:
            push = (shaped(t + 0.01, 20.0, length, 0.3)[0] - shaped(t, 20.0, length, 0.3)[0]) / 0.01
            angle, rate = swing(angle, rate, length, 0.0, push, 0.0, 0.01)
        wrong = max(wrong, amplitude(angle, rate, length))
    found["swing left by the zero-vibration shaper, right rope, 0.3 m/s^2, 20 m"] = (wrong, 1e-4, "rad")

    m = np.zeros(1, control.PLAN)[0]
    plan, planned = host(control.plan), host(control.planned)
    missed = 0.0
    for length, way, v, angle, rate in (
        (4.0, 15.0, 0.0, 0.2, -0.1),
        (9.0, -3.0, 0.5, -0.1, 0.2),
        (12.0, 25.0, 1.0, 0.0, 0.3),
    ):
        w, horizon = frequency(length), 14.0
        plan(m, way, v, angle, rate, length, horizon)

        def slope(t: float, y: np.ndarray, w: float = w, length: float = length) -> list[float]:
            a = planned(m, w * (14.0 - t)) * w * w
            return [y[1], a, y[3], -w * w * y[2] - a / length]

        end = solve_ivp(slope, (0, horizon), [0, v, angle, rate], "DOP853", rtol=1e-10, atol=1e-12).y[:, -1]
        missed = max(missed, float(np.abs(end - [way, 0, 0, 0]).max()))
    found["end of a plan of least energy, linear load: solve_ivp, DOP853"] = (missed, 1e-6, "m, rad")
    return found


if __name__ == "__main__":
    print("Crane: the greatest error of its load (python tests/pendulum.py)\n")
    print(f"{'compared with a reference':72} {'error':>9} {'tolerated':>9}")
    for what, (error, tolerated, unit) in errors().items():
        print(f"{what:72} {error:9.1e} {tolerated:9.1e} {unit}{'' if error <= tolerated else '   TOO LARGE'}")
