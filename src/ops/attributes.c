/* attributes.c - the attributes of nodes as people read them. */
#include "ops/convolution.h"
#include "ops/image.h"
#include "ops/recurrent.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text {
  char *at;
  size_t size, used;
};

static void add_text(struct text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n = t->used < t->size ? vsnprintf(t->at + t->used, t->size - t->used, format, arguments) : 0;
  va_end(arguments);
  if (n > 0) t->used += (size_t)n;
}

/* One axis of a slice: first element, last one (none: to the end) and step. */
static void add_range(struct text *t, const int64_t *range) {
  long long first = range[0] + 1, size = range[1], step = range[2];
  if (size == 0) add_text(t, "none");
  if (size == 0) return;
  add_text(t, "%lld", first);
  if (size == 1) return;
  add_text(t, ":");
  if (size > 0) add_text(t, "%lld", first + (size - 1) * step);
  if (step != 1) add_text(t, ":%lld", step);
}

/* Of a convolution along one axis: the stride, and dilation and padding where they are not the usual ones. */
static void add_window(struct text *t, const int64_t *axis) {
  add_text(t, "%lld", (long long)axis[AXIS_STRIDE]);
  if (axis[AXIS_DILATION] != 1) add_text(t, " dilated by %lld", (long long)axis[AXIS_DILATION]);
  if (axis[AXIS_BEFORE] || axis[AXIS_AFTER])
    add_text(t, " padded by %lld + %lld", (long long)axis[AXIS_BEFORE], (long long)axis[AXIS_AFTER]);
}

/* The attributes from number `ints` and `reals` on. An entry of the table is "name:kind". Kinds: f flag, n number,
 * a axis, o op and what it has itself, c and p activation and output of a cell, m fill mode, r real, s start, size and
 * step of an axis, w size and stride of a window, v stride and more of a convolution, - not shown; with *, all
 * integers that follow. */
static void add_attributes(struct text *t, int op, const struct attr *attr, int ints, int reals) {
  for (const char *s = op_info[op].attributes; s && *s; s += strcspn(s, " "), s += *s == ' ') {
    int name = (int)strcspn(s, ":");
    char kind = s[name + 1], many = s[name + 2] == '*';
    int each = kind == 's' ? 3 : kind == 'w' ? 2 : kind == 'v' ? AXIS_INTS : 1;
    int n = kind == 'r' ? 1 : many ? (attr->n_ints - ints) / each : 1;
    const int64_t *value = attr->ints + ints;
    if (kind == 'r') reals++;
    else ints += n * each;
    if (kind == '-' || (kind == 'f' && !many && !value[0]) || (kind == 'o' && value[0] < 0)) continue;
    if (n == 0 && kind != 'n') continue; /* all axes */
    add_text(t, "%s%.*s = %s", t->used ? ", " : "", name, s, many && n != 1 ? "c(" : "");
    for (int i = 0; i < n; i++, value += each) {
      if (i) add_text(t, ", ");
      switch (kind) {
      case 'f': add_text(t, value[0] ? "TRUE" : "FALSE"); break;
      case 'n': add_text(t, "%lld", (long long)value[0]); break;
      case 'a': add_text(t, "%lld", (long long)value[0] + 1); break;
      case 'o': add_text(t, "%s", op_name((int)value[0])); break;
      case 'c': add_text(t, "%s", cell_activation_name[value[0]]); break;
      case 'p': add_text(t, "%s", cell_output_name[value[0]]); break;
      case 'm': add_text(t, "%s", fill_mode_name[value[0]]); break;
      case 's': add_range(t, value); break;
      case 'w': add_text(t, "%lld by %lld", (long long)value[0], (long long)value[1]); break;
      case 'v': add_window(t, value); break;
      default: add_text(t, "%.6g", attr->reals[reals - 1]);
      }
    }
    if (many && n != 1) add_text(t, ")");
    if (kind == 'o') add_attributes(t, (int)value[-1], attr, ints, reals);
  }
}

void op_attributes(int op, const struct attr *attr, char *text, size_t size) {
  struct text t = {text, size, 0};
  if (size) text[0] = 0;
  if (is_op(plain_op(op))) add_attributes(&t, plain_op(op), attr, 0, 0);
}
