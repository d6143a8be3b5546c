/* logical.h - ops on bool only. Loops, reductions and broadcasting are those of binary.h and reduce.h. */

BINARY_FORWARD(logical_and, a & b)
BINARY_FORWARD(logical_or, a | b)

static void logical_not_forward(const struct call *c) {
  struct range r = share(c, shape_count(OUT_SHAPE));
  for (int64_t i = r.begin; i < r.end; i++) OUT[i] = !IN(0)[i];
}

REDUCTION(any, 0, 1, all | one)
REDUCTION(all, 1, 1, all & one)
