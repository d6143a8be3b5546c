#include "ops/rules.h"
#include "ops/image.h"

#define NAME(ENUM, name) #name,
const char *const fill_mode_name[FILL_MODE_COUNT] = {FILL_MODES(NAME)};
#undef NAME

/* x (batch, rows, columns, channels), transforms (batch, 8) or one for all -> as x, but for the rows and columns */
enum status rule_image(struct inference *q) {
  const struct shape *x = shape_in(q, 0), *transforms = shape_in(q, 1);
  const int64_t *ints = q->attr->ints;
  enum status s = same_dtype(q, 0);
  if (!s) s = need_axes(q, 0, "x", 4, "batch, rows, columns, channels");
  if (!s) s = need_axes(q, 1, "transforms", 2, "batch, 8");
  if (!s) s = need_shape(q, 1, "transforms", (struct shape){2, {transforms->dim[0] == 1 ? 1 : x->dim[0], 8}});
  if (s) return s;
  if (q->attr->n_ints != IMAGE_INTS || ints[IMAGE_FILL] < 0 || ints[IMAGE_FILL] >= FILL_MODE_COUNT)
    return bad_value(q, "no such fill mode", q->attr->n_ints > IMAGE_FILL ? ints[IMAGE_FILL] : -1);
  q->out[0] = *x;
  for (int i = IMAGE_ROWS; i <= IMAGE_COLUMNS; i++) {
    if (ints[i] < 1) return bad_value(q, "pictures have a row and a column at least", ints[i]);
    q->out->dim[1 + i] = ints[i];
  }
  if (!shape_is_possible(q->out)) return STATUS_OK; /* op_infer() refuses it */
  q->work = 20.0 * (double)shape_count(q->out);
  return STATUS_OK;
}
