#include "run/optimizer.h"

#include <math.h>
#include <string.h>

static int rule_states(int kind) {
  switch (kind) {
  case UPDATE_SGD: return 0;
  case UPDATE_ADAM: case UPDATE_ADAMW: case UPDATE_ADADELTA: case UPDATE_ADAMAX: case UPDATE_NADAM: case UPDATE_FTRL:
    return 2;
  case UPDATE_AMSGRAD: case UPDATE_RMSPROP_FULL: return 3;
  default: return 1;
  }
}

int optimizer_states(const struct optimizer *o) { return rule_states((int)o->kind) + (o->averaged != 0); }

/* Nadam's momentum at step t (Dozat 2016, with Keras' constant 0.96). */
static double nadam_momentum(const struct optimizer *o, double t) { return o->beta1 * (1 - 0.5 * pow(0.96, t)); }

void optimizer_begin(struct optimizer *o) {
  o->steps++;
  if (o->kind == UPDATE_NADAM) o->product = (1 + o->product) * nadam_momentum(o, o->steps) - 1;
}

struct update_step optimizer_step(const struct optimizer *o) {
  struct update_step s = {
    .rate = o->learning_rate, .beta1 = o->beta1, .beta2 = o->beta2, .epsilon = o->epsilon,
    .decay = o->learning_rate * o->weight_decay, .l1 = o->l1, .l2 = o->l2, .l2_shrinkage = o->l2_shrinkage,
    .power = o->power,
  };
  double t = o->steps;
  switch ((int)o->kind) {
  case UPDATE_ADAM: case UPDATE_ADAMW: case UPDATE_AMSGRAD:
    s.rate *= sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t));
    break;
  case UPDATE_ADAMAX:
    s.rate /= 1 - pow(o->beta1, t);
    break;
  case UPDATE_NADAM: {
    double next = nadam_momentum(o, t + 1), product = 1 + o->product;
    s.rate *= next / (1 - product * next);
    s.gradient_rate = o->learning_rate * (1 - nadam_momentum(o, t)) / (1 - product);
    s.scale = 1 / (1 - pow(o->beta2, t));
    break;
  }
  case UPDATE_RMSPROP_FULL:
    s.scale = o->start != 0;
    break;
  case UPDATE_FTRL:
    if (o->beta > 0) s.l2 += o->beta / (2 * o->learning_rate);
    break;
  }
  return s;
}

int optimizer_update(const struct optimizer *o, const struct update_step *s, int dtype, int64_t n, void *weights,
  const void *gradients, void *const *state, int thread, int threads) {
  struct range r = share_of(n, 1024, thread, threads);
  size_t at = (size_t)r.begin * dtype_size[dtype];
  unsigned char *states[MAX_STATES] = {NULL};
  int count = optimizer_states(o);
  for (int i = 0; i < count; i++) states[i] = (unsigned char *)state[i] + at;
  unsigned char *own = (unsigned char *)weights + at;
  n = r.end - r.begin;
  int finite = kernels[dtype]->update[(int)o->kind](n, s, own, (const unsigned char *)gradients + at,
    (void *const *)states);
  if (o->averaged == 0 || n <= 0) return finite;
  unsigned char *mean = states[count - 1];
  kernels[dtype]->average(n, o->average_momentum, mean, own);
  if (o->average_every > 0 && fmod(o->steps, o->average_every) == 0) memcpy(own, mean, (size_t)n * dtype_size[dtype]);
  return finite;
}

void optimizer_reset(const struct optimizer *o, int dtype, int64_t n, int i, const void *weights, void *state) {
  if (i == rule_states((int)o->kind)) {
    if (n > 0) memcpy(state, weights, (size_t)n * dtype_size[dtype]);
    return;
  }
  kernels[dtype]->fill(n, o->kind == UPDATE_ADAGRAD || (o->kind == UPDATE_FTRL && i == 0) ? o->start : 0, state);
}
