#include "optimizer.h"

#include <math.h>

int optimizer_states(int kind) {
  switch (kind) {
  case UPDATE_SGD: return 0;
  case UPDATE_ADAM: case UPDATE_ADAMW: return 2;
  default: return 1;
  }
}

struct update_step optimizer_begin(struct optimizer *o) {
  struct update_step s = {
    .rate = o->learning_rate, .beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon,
    .decay = o->learning_rate * o->weight_decay,
  };
  double t = (double)++o->steps;
  if (o->kind == UPDATE_ADAM || o->kind == UPDATE_ADAMW)
    s.rate *= sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t));
  return s;
}

void optimizer_reset(const struct optimizer *o, int dtype, int64_t n, void *state) {
  double start = o->kind == UPDATE_ADAGRAD ? o->start : 0;
  for (int64_t i = 0; i < n; i++) {
    if (dtype == FLOAT32) ((float *)state)[i] = (float)start;
    else ((double *)state)[i] = start;
  }
}
