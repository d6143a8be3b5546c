#include "base/tensor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DTYPE_NAME(ENUM, name, type, is_float) name,
#define DTYPE_SIZE(ENUM, name, type, is_float) sizeof(type),
const char *const dtype_name[DTYPE_COUNT] = {DTYPES(DTYPE_NAME)};
const size_t dtype_size[DTYPE_COUNT] = {DTYPES(DTYPE_SIZE)};

enum status fail(struct failure *failure, enum status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(failure->text, sizeof failure->text, format, args);
  va_end(args);
  return failure->status = status;
}

int64_t shape_span(const struct shape *s, int from, int to) {
  int64_t n = 1;
  for (int i = from; i < to; i++) n *= s->dim[i];
  return n;
}

int64_t shape_count(const struct shape *s) { return shape_span(s, 0, s->rank); }

int shape_is_possible(const struct shape *s) {
  double n = 1;
  for (int i = 0; i < s->rank; i++) n *= s->dim[i] ? (double)s->dim[i] : 1;
  return n < 1e15;
}

int shape_equal(const struct shape *a, const struct shape *b) {
  if (a->rank != b->rank) return 0;
  for (int i = 0; i < a->rank; i++)
    if (a->dim[i] != b->dim[i]) return 0;
  return 1;
}

const char *shape_format(const struct shape *s, char *text, size_t size) {
  size_t used = (size_t)snprintf(text, size, "(");
  for (int i = 0; i < s->rank && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, i ? ", %lld" : "%lld", (long long)s->dim[i]);
  if (used < size) snprintf(text + used, size - used, ")");
  return text;
}

size_t padded_bytes(int64_t n, int dtype) {
  size_t bytes = (size_t)n * dtype_size[dtype];
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Step of operand s along axis i of a shape of rank `rank`: 0 where it is absent or of size 1. */
static int64_t broadcast_stride(const struct shape *s, int i, int rank) {
  int own = i - (rank - s->rank);
  if (own < 0 || s->dim[own] == 1) return 0;
  return shape_span(s, own + 1, s->rank);
}

void walk_plan(struct walk *w, const struct shape *over, const struct shape *const *operand, int operands) {
  memset(w, 0, sizeof *w);
  int r = 0; /* axes kept so far */
  for (int i = 0; i < over->rank; i++) {
    if (over->dim[i] == 1) continue;
    int64_t step[3] = {0, 0, 0};
    int mergeable = r > 0;
    for (int k = 0; k < operands; k++) {
      step[k] = broadcast_stride(operand[k], i, over->rank);
      mergeable = mergeable && w->stride[k][r - 1] == step[k] * over->dim[i];
    }
    if (!mergeable) r++;
    w->n[r - 1] = mergeable ? w->n[r - 1] * over->dim[i] : over->dim[i];
    for (int k = 0; k < operands; k++) w->stride[k][r - 1] = step[k];
  }
  if (r == 0) w->n[r++] = 1; /* a single element, by strides 0 */
  w->rank = r;
}

int64_t walk_steps(const struct walk *w) {
  int64_t n = 1;
  for (int i = 0; i < w->rank - 1; i++) n *= w->n[i];
  return n;
}

void walk_offsets(const struct walk *w, int64_t step, int operands, int64_t *offset) {
  for (int k = 0; k < operands; k++) offset[k] = 0;
  for (int i = w->rank - 2; i >= 0; i--) {
    int64_t at = step % w->n[i];
    step /= w->n[i];
    for (int k = 0; k < operands; k++) offset[k] += at * w->stride[k][i];
  }
}
