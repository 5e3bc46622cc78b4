"""How far the physics of ProvingGround is from references that nobody here wrote: `python tests/vehicle.py` prints the table.

tests/vehicle.json holds values of commonroad-vehicle-models 3.0.2: rates of 2,000 random states, and seven manoeuvres that scipy's LSODA
integrated with them. They are stored because that package drags in omegaconf and antlr4. `--write` makes the file anew, in an
environment of its own: `pip install commonroad-vehicle-models==3.0.2 scipy`, and nothing of ours.
"""

import copy
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

STORED = Path(__file__).parent / "vehicle.json"
STATES, SEED = 2_000, 1
CONTROL, STEPS = 0.05, 30  # s between two stored points of a manoeuvre, and how many
# name: speed (m/s), grip, steering, braking from 0.5 s on (m/s^2), brake bias
MANOEUVRES = {
    "braking, dry": (27.78, 1.0, "straight", -9.0, 0.66),
    "braking, wet": (27.78, 0.6, "straight", -5.0, 0.66),
    "braking, snow": (16.7, 0.3, "straight", -2.4, 0.66),
    "sine steer, dry": (22.0, 1.0, "sine", 0.0, 0.66),
    "sine steer, wet": (22.0, 0.6, "sine", 0.0, 0.66),
    "braking in a bend, dry": (22.0, 1.0, "bend", -4.0, 0.66),
    "braking in a bend, bias .45": (22.0, 1.0, "bend", -5.0, 0.45),
}


def random_states() -> list[dict[str, Any]]:
    """States, inputs and parameters of cars that drive, brake and slide."""
    rng, found = np.random.default_rng(SEED), []
    for _ in range(STATES):
        grip, bias, shift, v = (
            rng.uniform(0.2, 1.0),
            rng.uniform(0.5, 0.9),
            rng.uniform(-0.1, 0.1),
            rng.uniform(0.0, 40.0),
        )
        x = [
            0.0, 0.0, rng.uniform(-0.3, 0.3), v, rng.uniform(-3, 3), rng.uniform(-1, 1), rng.uniform(-0.3, 0.3),
            v / 0.344 * rng.uniform(0, 1.1), v / 0.344 * rng.uniform(0, 1.1),
        ]  # fmt: skip
        # within what the reference's engine and steering can do
        u = [rng.uniform(-0.4, 0.4), rng.uniform(-10.0, 11.5 * min(1.0, 7.319 / max(v, 1e-9)))]
        found.append(dict(grip=grip, bias=bias, shift=shift, x=x, u=u))
    return found


def inputs(steering: str, braking: float) -> np.ndarray:
    """Steering rate and demanded acceleration of each control step, (STEPS, 2)."""
    t = np.arange(STEPS) * CONTROL
    turn = {
        "straight": np.zeros(STEPS),
        "sine": 0.072 * math.pi * np.cos(math.pi * t),
        "bend": np.where(t < 0.3, 0.2, 0.0),
    }
    return np.stack([turn[steering], np.where(t >= 0.5, braking, 0.0)], axis=1)


def write() -> None:
    """Make the stored values anew from commonroad-vehicle-models."""
    from scipy.integrate import solve_ivp
    from vehiclemodels.init_std import init_std
    from vehiclemodels.parameters_vehicle2 import parameters_vehicle2
    from vehiclemodels.vehicle_dynamics_std import vehicle_dynamics_std

    typical = parameters_vehicle2()

    def car(grip: float, bias: float, shift: float = 0.0) -> Any:
        p = copy.deepcopy(typical)
        p.tire.p_dx1, p.tire.p_dy1, p.T_sb = p.tire.p_dx1 * grip, p.tire.p_dy1 * grip, bias
        p.a, p.b = p.a + shift, p.b - shift
        return p

    rates = [vehicle_dynamics_std(list(s["x"]), s["u"], car(s["grip"], s["bias"], s["shift"])) for s in random_states()]
    paths = {}
    for name, (speed, grip, steering, braking, bias) in MANOEUVRES.items():
        p = car(grip, bias)
        x, rows = init_std([0, 0, 0, speed, 0, 0, 0], p), []
        for u in inputs(steering, braking):
            run = solve_ivp(
                lambda t, y, u=u, p=p: vehicle_dynamics_std(list(y), list(u), p), (0, CONTROL), x, "LSODA", rtol=1e-6, atol=1e-7,
                t_eval=(CONTROL,),
            )  # fmt: skip
            x = run.y[:, -1].tolist()
            rows.append([x[0], x[1], x[3], x[6]])
        paths[name] = rows
    STORED.write_text(json.dumps(dict(rates=rates, paths=paths)).replace("], [", "],\n[") + "\n")


def errors() -> dict[str, tuple[float, float, str]]:
    """What is compared -> (greatest error, what is tolerated, unit)."""
    from scipy.integrate import solve_ivp
    from scipy.linalg import solve_continuous_lyapunov

    from unseen.envs.core.device import host
    from unseen.envs.industry.kit import crash, ride, vehicle

    bmw, start, rates, advance = map(host, (vehicle.bmw, vehicle.start, vehicle.rates, vehicle.advance))
    stored = json.loads(STORED.read_text())
    car = np.zeros(1, vehicle.CAR)[0]
    worst = 0.0
    for s, wanted in zip(random_states(), stored["rates"], strict=True):
        bmw(car)
        car["grip"], car["bias"] = s["grip"], s["bias"]
        car["a"], car["b"] = vehicle.FRONT + s["shift"], vehicle.REAR - s["shift"]
        car["x"] = s["x"]
        rates(car, s["u"][0], s["u"][1], s["u"][1])
        worst = max(worst, float((np.abs(car["f"] - wanted) / (1.0 + np.abs(wanted))).max()))
    found = {f"rates of {STATES} random states: commonroad-vehicle-models": (worst, 1e-12, "relative")}

    def runge_kutta(u: np.ndarray, dt: float) -> None:
        x, k = car["x"].copy(), []
        for part in (0.0, 0.5, 0.5, 1.0):
            car["x"] = x + part * dt * k[-1] if k else x
            rates(car, u[0], u[1], u[1])
            k.append(car["f"].copy())
        car["x"] = x + dt / 6 * (k[0] + 2 * k[1] + 2 * k[2] + k[3])
        car["x"][7:] = np.maximum(car["x"][7:], 0.0)

    def path(name: str, dt: float, explicit: bool) -> float:
        """Greatest distance (m) from the stored path."""
        speed, grip, steering, braking, bias = MANOEUVRES[name]
        bmw(car)
        start(car, speed)
        car["grip"], car["bias"] = grip, bias
        far = 0.0
        for u, wanted in zip(inputs(steering, braking), stored["paths"][name], strict=True):
            for _ in range(round(CONTROL / dt)):
                if explicit:
                    runge_kutta(u, dt)
                else:
                    advance(car, u[0], u[1], u[1], dt)
            far = max(far, math.hypot(float(car["x"][0]) - wanted[0], float(car["x"][1]) - wanted[1]))
        return far

    many = f"{len(MANOEUVRES)} manoeuvres of 1.5 s"
    found[f"{many}, Runge-Kutta at 0.5 ms: LSODA"] = (max(path(name, 5e-4, True) for name in MANOEUVRES), 1e-4, "m")
    for milliseconds, tolerated in ((1.0, 0.03), (2.5, 0.07), (5.0, 0.14)):
        far = max(path(name, 1e-3 * milliseconds, False) for name in MANOEUVRES)
        found[f"{many}, implicit wheels at {milliseconds:g} ms: LSODA"] = (far, tolerated, "m")

    comfort, travel, wheel_load, intensity = map(host, (ride.comfort, ride.travel, ride.wheel_load, ride.intensity))
    rng, far = np.random.default_rng(SEED), 0.0
    for _ in range(200):
        spring, damper, sprung = rng.uniform(1e4, 5e4), rng.uniform(400, 6000), rng.uniform(180, 400)
        noise = intensity(rng.uniform(4e-6, 256e-6), rng.uniform(5, 40))
        m, kt = ride.UNSPRUNG, ride.TYRE
        rise = np.array([-spring / sprung, -damper / sprung, 0.0, damper / sprung])
        a = np.array([[0, 1, 0, -1], rise, [0, 0, 0, 1], [spring / m, damper / m, -kt / m, -damper / m]])
        b = np.array([[0.0], [0.0], [-1.0], [0.0]])
        cov = solve_continuous_lyapunov(a, -noise * b @ b.T)
        wanted = np.sqrt([rise @ cov @ rise, cov[0, 0], kt * kt * cov[2, 2]])
        got = [
            comfort(spring, damper, sprung, noise),
            travel(damper, sprung, noise),
            wheel_load(spring, damper, sprung, noise),
        ]
        far = max(far, float(np.abs(np.array(got) / wanted - 1.0).max()))
    found["RMS of 200 quarter cars: scipy's Lyapunov equation"] = (far, 1e-9, "relative")

    hit, held = host(crash.crash), host(crash.held)
    closed = whole = 0.0
    for _ in range(40):
        mass, stiffness, length, speed = (
            rng.uniform(950, 1400),
            rng.uniform(3e5, 2.4e6),
            rng.uniform(0.35, 0.95),
            rng.uniform(7, 18),
        )
        crush, peak, way = hit(mass, stiffness, length, speed)
        energy, spent = 0.5 * mass * speed**2, 0.5 * stiffness * length**2
        if energy <= spent:
            exact = speed * math.sqrt(mass / stiffness)
        else:  # energy in the cabin's spring: k L d + 8 k d^2 / 2
            k, d = stiffness, crash.STIFFER
            exact = length + (-k * length + math.sqrt((k * length) ** 2 + 2 * d * k * (energy - spent))) / (d * k)
        closed = max(closed, abs(crush / exact - 1.0))

        def motion(t: float, z: np.ndarray, mass=mass, stiffness=stiffness, length=length) -> list[float]:
            x, v, y, u = z
            force = stiffness * (x + (crash.STIFFER - 1) * max(x - length, 0.0)) if v > 0 else 0.0
            return [max(v, 0.0), -force / mass, u, -held(y - x - crash.SLACK) / crash.OCCUPANT]

        run = solve_ivp(motion, (0, 0.3), [0, speed, 0, speed], "RK45", rtol=1e-6, atol=1e-6, max_step=5e-4)
        stretch = run.y[2] - run.y[0]
        until = int(np.argmax(run.y[3] <= 0.0)) or len(stretch)
        wanted = max(held(s - crash.SLACK) for s in stretch[:until]) / crash.OCCUPANT
        whole = max(whole, abs(peak / wanted - 1.0), abs(way / stretch[:until].max() - 1.0))
    found["crush of 40 cars: closed form"] = (closed, 1e-4, "relative")
    found["peak and way of their occupants: Runge-Kutta"] = (whole, 1e-3, "relative")
    return found


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        print("ProvingGround: the greatest error of its physics (python tests/vehicle.py)\n")
        print(f"{'compared with a reference':62} {'error':>9} {'tolerated':>9}")
        for what, (error, tolerated, unit) in errors().items():
            print(f"{what:62} {error:9.1e} {tolerated:9.1e} {unit}{'' if error <= tolerated else '   TOO LARGE'}")
