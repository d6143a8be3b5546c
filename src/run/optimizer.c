#include "run/optimizer.h"

#include <math.h>
#include <string.h>

static int rule_states(int kind) {
  switch (kind) {
  case UPDATE_SGD: return 0;
  case UPDATE_ADAM: case UPDATE_ADAMW: case UPDATE_ADADELTA: case UPDATE_ADAMAX: case UPDATE_NADAM: case UPDATE_FTRL:
  case UPDATE_LAMB: case UPDATE_ADAFACTOR: case UPDATE_MUON:
    return 2;
  case UPDATE_AMSGRAD: case UPDATE_RMSPROP_FULL: return 3;
  default: return 1;
  }
}

int optimizer_states(const struct optimizer *o) { return rule_states((int)o->kind) + (o->averaged != 0); }

int optimizer_takes_matrix(const struct optimizer *o, const struct shape *variable) {
  return o->kind == UPDATE_MUON && (variable->rank == 2 || variable->rank == 3);
}

struct shape optimizer_state_shape(const struct optimizer *o, const struct shape *variable, int i, int as_matrix) {
  struct shape s = *variable;
  if (i >= rule_states((int)o->kind)) return s;
  if (o->kind == UPDATE_MUON && i == 1 && as_matrix) s.rank = 0;
  if (o->kind == UPDATE_ADAFACTOR) {
    if (s.rank >= 2) { /* without the last axis; without that before it */
      if (i == 1) s.dim[s.rank - 2] = s.dim[s.rank - 1];
      s.rank--;
    } else if (i == 1) {
      s.rank = 0;
    }
  }
  return s;
}

/* The last two axes. */
static struct whole as_matrices(const struct shape *s) {
  struct whole u = {.n = shape_count(s), .rows = 1, .rank = s->rank};
  u.columns = s->rank ? s->dim[s->rank - 1] : 1;
  if (s->rank > 1) u.rows = s->dim[s->rank - 2];
  return u;
}

int64_t optimizer_room(const struct optimizer *o, const struct shape *variable) {
  struct whole u = as_matrices(variable);
  int64_t least = u.rows < u.columns ? u.rows : u.columns;
  return optimizer_takes_matrix(o, variable) ? 2 * u.rows * u.columns + 2 * least * least : 0;
}

double optimizer_work(const struct optimizer *o, const struct shape *variable) {
  struct whole u = as_matrices(variable);
  double n = (double)u.n, least = (double)(u.rows < u.columns ? u.rows : u.columns);
  double iteration = n > 0 ? 4 * n * least + 2 * n / ((double)u.rows * (double)u.columns) * least * least * least : 0;
  return 20 * n + (optimizer_takes_matrix(o, variable) ? o->newton_steps * iteration : 0);
}

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
  case UPDATE_LAMB:
    s.first = 1 / (1 - pow(o->beta1, t));
    s.second = 1 / (1 - pow(o->beta2, t));
    break;
  case UPDATE_ADAFACTOR:
    s.rate = fmin(s.rate, 1 / sqrt(t));
    s.beta2 = 1 - pow(t, -o->power);
    s.epsilon_2 = o->epsilon_2;
    s.clip_threshold = o->clip_threshold;
    break;
  case UPDATE_MUON:
    s.momentum = o->momentum;
    s.nesterov = o->nesterov;
    s.newton_steps = (int)o->newton_steps;
    memcpy(s.newton, o->newton, sizeof s.newton);
    s.gradient_rate = s.rate * o->adam_ratio * sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t));
    break;
  }
  return s;
}

/* By rules that look at whole variables. */
static int update_whole(const struct optimizer *o, const struct update_step *s, const struct updated *v,
  struct team *team, int thread) {
  struct whole u = as_matrices(&v->shape);
  u.step = s, u.dtype = v->dtype, u.weights = v->weights, u.gradients = v->gradients, u.state = v->state;
  u.room = v->room, u.part = thread, u.parts = team->threads;
  if (u.rank > 1 && v->shape.dim[0] > v->shape.dim[1])
    u.scale = sqrt((double)v->shape.dim[0] / (double)v->shape.dim[1]);
  else u.scale = 1;
  int finite = 1;
  do {
    if (u.phase) team_barrier(team);
    finite &= kernels[v->dtype]->whole[(int)o->kind](&u);
    u.phase++;
  } while (u.again);
  if (o->averaged != 0) team_barrier(team);
  return finite;
}

int optimizer_update(const struct optimizer *o, const struct update_step *s, const struct updated *u, struct team *team,
  int thread) {
  int64_t n = shape_count(&u->shape);
  struct range r = share_of(n, 1024, thread, team->threads);
  size_t at = (size_t)r.begin * dtype_size[u->dtype];
  unsigned char *states[MAX_STATES] = {NULL};
  int count = optimizer_states(o), kind = (int)o->kind, finite;
  for (int i = 0; i < count; i++) states[i] = (unsigned char *)u->state[i] + at;
  unsigned char *own = (unsigned char *)u->weights + at;
  n = r.end - r.begin;
  if (kind == UPDATE_MUON && !u->as_matrix) {
    struct update_step adam = *s;
    adam.rate = s->gradient_rate;
    finite = kernels[u->dtype]->update[UPDATE_ADAM](n, &adam, own, (const unsigned char *)u->gradients + at,
      (void *const *)states);
  } else if (kernels[u->dtype]->whole[kind]) {
    finite = update_whole(o, s, u, team, thread);
  } else {
    finite = kernels[u->dtype]->update[kind](n, s, own, (const unsigned char *)u->gradients + at,
      (void *const *)states);
  }
  if (o->averaged == 0 || n <= 0) return finite;
  unsigned char *mean = states[count - 1];
  kernels[u->dtype]->average(n, o->average_momentum, mean, own);
  if (o->average_every > 0 && fmod(o->steps, o->average_every) == 0)
    memcpy(own, mean, (size_t)n * dtype_size[u->dtype]);
  return finite;
}

void optimizer_reset(const struct optimizer *o, int dtype, int64_t n, int i, const void *weights, void *state) {
  if (i == rule_states((int)o->kind)) {
    if (n > 0) memcpy(state, weights, (size_t)n * dtype_size[dtype]);
    return;
  }
  kernels[dtype]->fill(n, o->kind == UPDATE_ADAGRAD || (o->kind == UPDATE_FTRL && i == 0) ? o->start : 0, state);
}
