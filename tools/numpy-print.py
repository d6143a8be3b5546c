"""What NumPy prints, for the tests: python3 tools/numpy-print.py 90 > tests/testthat/numpy-print.txt

Each case is the lines
  <dtype> (<shape>)
  <values in row-major order: exact, as C prints them with %a>, or "range" and three numbers: count, start, step
  the lines of str(), each after "s|"
  the lines of repr(), each after "r|"
"""
import random
import sys

import numpy as np

count = int(sys.argv[1]) if len(sys.argv) > 1 else 90
seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
rng = random.Random(seed)


def show(x, values):
    print(x.dtype.name, "(" + ",".join(map(str, x.shape)) + ")")
    print(values)
    for mark, text in (("s|", str(x[()])), ("r|", repr(x[()]))):
        for line in text.split("\n"):
            print(mark + line)


def case(x):
    words = [float(v).hex() for v in x.ravel()] if x.dtype.kind == "f" else [str(int(v)) for v in x.ravel()]
    show(x, " ".join(words))


def ranged(dtype, shape, start, step):
    n = int(np.prod(shape))
    x = (start + step * np.arange(n, dtype="float64")).astype(dtype).reshape(shape)
    show(x, "range %d %s %s" % (n, float(start).hex(), float(step).hex()))


def number():
    kind = rng.randrange(12)
    if kind == 0: return rng.choice([0.0, -0.0, 1.0, -1.0, 0.1, 0.5, 1e-4, 1e8, 1e16, 99999999.0, 1e5, 123456.789])
    if kind == 1: return rng.uniform(-1, 1) * 10.0 ** rng.randint(-300, 300)
    if kind == 2: return rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30)
    if kind == 3: return float(rng.randint(-1000, 1000))
    if kind == 4: return float(rng.randint(-10 ** 9, 10 ** 9))
    if kind == 5: return round(rng.uniform(-100, 100), rng.randint(0, 4))
    if kind == 6: return 2.0 ** rng.randint(-40, 40)
    return rng.uniform(-1, 1)


def family():
    """numbers that print in one way: fractions, whole numbers, wide ranges ..."""
    kind = rng.randrange(9)
    scale = 10.0 ** rng.randint(-6, 9)
    decimals = rng.randint(0, 6)
    if kind == 0: return number
    if kind == 1: return lambda: rng.gauss(0, 1)
    if kind == 2: return lambda: rng.gauss(0, 1) * scale
    if kind == 3: return lambda: float(rng.randint(-9, 99))
    if kind == 4: return lambda: round(rng.uniform(-10, 10), decimals)
    if kind == 5: return lambda: rng.choice([0.0, 1.0])
    if kind == 6: return lambda: rng.choice([float("nan"), float("inf"), float("-inf"), 1.5, -22.25, 1e-9 * scale])
    if kind == 7: return lambda: rng.choice([float("nan"), float("inf"), 3.0])
    return lambda: rng.uniform(0, 1)


def shape():
    rank = rng.choice([0, 1, 1, 2, 2, 2, 3, 4])
    return tuple(rng.choice([1, 2, 3, 5, rng.randint(1, {0: 1, 1: 40, 2: 14}.get(rank, 4))]) for _ in range(rank))


np.seterr(over="ignore")
for _ in range(count):
    s = shape()
    n = int(np.prod(s, dtype=int))
    dtype = rng.choice(["float64", "float64", "float32", "float32", "int32", "int64", "bool"])
    if dtype.startswith("float"):
        draw = family()
        values = [draw() for _ in range(n)]
    elif dtype == "bool":
        values = [rng.random() < 0.5 for _ in range(n)]
    else:
        limit = 10 ** rng.randint(0, 9 if dtype == "int32" else 15)
        values = [rng.randint(-limit, limit) for _ in range(n)]
    case(np.array(values, dtype=dtype).reshape(s))

for dtype in ("float64", "float32", "int32", "int64", "bool"):
    for s in ((0,), (0, 3), (2, 0), (3, 0, 2)):
        case(np.zeros(s, dtype=dtype))
case(np.array([-2 ** 31, 2 ** 31 - 1], dtype="int32"))
case(np.array([5e-324, 1e-310, 1e308]))
for dtype in ("float64", "float32"):
    for v in (0.0, -0.0, 0.1, 1e-5, 1e-4, 9.9999e-5, 1e15, 1e16, 3.0, 123456789.0, float("nan"), float("-inf"), 1 / 3):
        case(np.array(v, dtype=dtype))
    start, step = (0, 1) if dtype == "float64" else (-0.5, 0.001953125)
    for s in ((1000,), (1001,), (40, 40), (7, 200), (6, 200), (2000, 1), (3, 20, 20), (8, 9, 10, 2)):
        ranged(dtype, s, start, step)
ranged("float64", (60, 784), 0, 2.0 ** -20)
for dtype in ("int32", "int64"):
    for s in ((1001,), (40, 40), (8, 9, 10, 2)):
        ranged(dtype, s, -3, 1)
