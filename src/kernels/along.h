/* along.h - what goes along one axis: running sums and products, the order of numbers. */

/* A line: the n numbers at one place of all other axes, `step` apart. Members have lines of their own. */
#define FOR_LINES()                                                                                    \
  const struct shape *s_ = SHAPE(0);                                                                   \
  const int64_t n = s_->dim[INT(0)], step = shape_span(s_, (int)INT(0) + 1, s_->rank);                 \
  const struct range lines_ = share_rows(c, shape_span(s_, 0, (int)INT(0)) * step);                    \
  for (int64_t line = lines_.begin, first;                                                             \
       line < lines_.end && (first = line / step * n * step + line % step, 1); line++)

/* y (+)= sums of x from the start of each line on, or from its end back; in double, or exactly. */
static void running_sums(const struct call *c, const real *x, real *y, int back, int add) {
  enum status flaw = STATUS_OK;
  FOR_LINES() {
    total sum = 0;
    for (int64_t k = 0; k < n; k++) {
      int64_t i = first + (back ? n - 1 - k : k) * step;
      sum = total_plus(sum, (total)x[i], &flaw);
      y[i] = (add ? y[i] : 0) + narrow(sum, &flaw);
    }
  }
  report(c, flaw);
}
static void cumsum_forward(const struct call *c) { running_sums(c, IN(0), OUT, 0, 0); }

static void cumprod_forward(const struct call *c) {
  const real *x = IN(0);
  real *y = OUT;
  enum status flaw = STATUS_OK;
  FOR_LINES() {
    total product = 1;
    for (int64_t i = first; i < first + n * step; i += step) {
      product = total_times(product, x[i], &flaw);
      y[i] = narrow(product, &flaw);
    }
  }
  report(c, flaw);
}

#ifdef REAL_IS_FLOATING
static void cumsum_backward(const struct call *c) { running_sums(c, DOUT, DIN(0), 1, ADDS(0)); }

/* dx_k = y_(k-1) s_k with s_k = dy_k + x_(k+1) s_(k+1): nothing is divided by an x that may be 0. */
static void cumprod_backward(const struct call *c) {
  const real *x = IN(0), *y = OUT, *dy = DOUT;
  real *dx = DIN(0);
  FOR_LINES() {
    total sum = 0;
    for (int64_t k = n - 1; k >= 0; k--) {
      int64_t i = first + k * step;
      sum = dy[i] + (k + 1 < n ? x[i + step] * sum : 0);
      dx[i] = (ADDS(0) ? dx[i] : 0) + R((k ? y[i - step] : 1) * sum);
    }
  }
}
#endif

/* Does the number at place j come before that at place i, which stands to the left of it? NaN come last. */
INLINE int comes_before(const real *x, int64_t j, int64_t i, int decreasing) {
  if (is_nan(x[j]) || is_nan(x[i])) return is_nan(x[i]) && !is_nan(x[j]);
  return decreasing ? x[j] > x[i] : x[j] < x[i];
}

/* Places 0 .. n - 1 of a line in the order of its numbers, by merging runs of 1, 2, 4 ... places; equal numbers stay as
 * they stand. */
static void argsort_forward(const struct call *c) {
  int32_t *y = output_slot(c)->value;
  FOR_LINES() {
    const real *x = IN(0) + first;
    int32_t *from = (int32_t *)(void *)c->slots[c->workspace].value + 2 * line * n, *to = from + n;
    for (int64_t k = 0; k < n; k++) from[k] = (int32_t)k;
    for (int64_t run = 1; run < n; run *= 2) {
      for (int64_t left = 0; left < n; left += 2 * run) {
        int64_t middle = left + run < n ? left + run : n, end = middle + run < n ? middle + run : n;
        for (int64_t k = left, i = left, j = middle; k < end; k++) {
          int right = j < end && (i == middle || comes_before(x, from[j] * step, from[i] * step, INT(1) != 0));
          to[k] = from[right ? j++ : i++];
        }
      }
      int32_t *other = from;
      from = to, to = other;
    }
    for (int64_t k = 0; k < n; k++) y[first + k * step] = from[k];
  }
}
