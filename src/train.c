#include "train.h"

#include <math.h>
#include <string.h>

#define SNAPSHOT_STEPS 32 /* so often the weights are kept, in case they explode */
#define EXPLOSION 1e4     /* weights that grew by this factor since then have */

static void set_scalar(void *to, int dtype, double value) {
  if (dtype == FLOAT32) *(float *)to = (float)value;
  else *(double *)to = value;
}

/* ---- the parts of a step; all members call each of them ---- */

/* Weights, then optimizer state: one block, to keep or to bring back. */
static void snapshot(struct trainer *t, const struct program *p, int restore) {
  size_t bytes = (size_t)p->variable_bytes;
  unsigned char *part[1 + MAX_STATES] = {t->weights, t->state[0], t->state[1], t->state[2]};
  for (int i = 0; i < 1 + optimizer_states((int)t->optimizer.kind); i++) {
    unsigned char *kept = t->good + (size_t)i * bytes;
    memcpy(restore ? part[i] : kept, restore ? kept : part[i], bytes);
  }
  if (restore) t->optimizer.steps = t->steps_good;
  else t->steps_good = t->optimizer.steps;
}

/* Sum of |w| over all weights; not finite if one of them is not. */
static double size_of_weights(const struct trainer *t, const struct program *p) {
  double l1 = 0, l2 = 0;
  int dtype = p->slots[t->loss].dtype;
  kernels[dtype]->penalty(p->variable_bytes / (int64_t)dtype_size[dtype], t->weights, &l1, &l2);
  return l1;
}

/* Weights that are no longer numbers, or grew by more than `growth`: back to those that were kept. */
static int weights_lost(struct trainer *t, struct program *p, double growth) {
  double size = size_of_weights(t, p);
  if (isfinite(size) && (t->steps_good < 0 || size <= growth * (t->size_good + 1))) return 0;
  if (t->steps_good >= 0) snapshot(t, p, 1);
  return 1;
}

/* After the forward pass: note the loss, with the penalties on the weights, and let its gradient be 1. */
static void note_loss(struct trainer *t, struct program *p) {
  struct slot *loss = &p->slots[t->loss];
  double value = slot_number(loss, 0);
  for (int k = 0; k < p->slots_used; k++) {
    const struct slot *s = &p->slots[k];
    if (s->kind != SLOT_VARIABLE || (s->l1 == 0 && s->l2 == 0)) continue;
    double l1 = 0, l2 = 0;
    kernels[s->dtype]->penalty(shape_count(&s->shape), s->value, &l1, &l2);
    value += s->l1 * l1 + s->l2 * l2;
  }
  t->last_loss = value;
  set_scalar(loss->gradient, loss->dtype, 1);
}

/* A loss that is not a number ends the training. The weights stay if they are not to blame, as when
 * a number in this batch was too large. */
static void judge_loss(struct trainer *t, struct program *p, struct team *team) {
  if (!isfinite(t->last_loss)) {
    weights_lost(t, p, EXPLOSION);
    atomic_store(&team->failed, STATUS_NAN);
  } else if (t->steps_good < 0 || t->optimizer.steps >= t->steps_good + SNAPSHOT_STEPS) {
    snapshot(t, p, 0);
    t->size_good = size_of_weights(t, p);
  }
}

/* Each member updates its share of the n variables' numbers from `from` on. */
static void update_range(struct trainer *t, int dtype, int64_t from, int64_t n, const struct update_step *step,
  struct team *team, int thread) {
  size_t at = (size_t)from * dtype_size[dtype];
  void *state[MAX_STATES] = {NULL};
  for (int i = 0; i < optimizer_states((int)t->optimizer.kind); i++) state[i] = t->state[i] + at;
  optimizer_update(&t->optimizer, step, dtype, n, t->weights + at, t->gradients + at, state, thread, team->threads);
}

static void update(struct trainer *t, const struct program *p, struct update_step step, struct team *team, int thread) {
  int dtype = p->slots[t->loss].dtype, penalized = 0;
  int64_t size = (int64_t)dtype_size[dtype];
  for (int k = 0; k < p->slots_used; k++) penalized = penalized || p->slots[k].l1 != 0 || p->slots[k].l2 != 0;
  if (!penalized) {
    update_range(t, dtype, 0, p->variable_bytes / size, &step, team, thread);
    return;
  }
  for (int k = 0; k < p->slots_used; k++) {
    const struct slot *s = &p->slots[k];
    if (s->kind != SLOT_VARIABLE) continue;
    step.l1 = s->l1, step.l2 = s->l2;
    update_range(t, dtype, s->value_at / size, shape_count(&s->shape), &step, team, thread);
  }
}

/* Forward, backward, update on what stands in the inputs. Returns 0 when the team must stop. */
static int step(struct trainer *t, struct program *p, struct update_step *s, struct team *team, int thread) {
  struct optimizer before = {0};
  run_forward(p, team, thread);
  if (team_must_leave(team)) return 0;
  if (thread == 0) {
    note_loss(t, p);
    judge_loss(t, p, team);
    before = t->optimizer;
    if (!atomic_load(&team->failed)) {
      optimizer_begin(&t->optimizer);
      *s = optimizer_step(&t->optimizer);
    }
  }
  team_barrier(team);
  if (atomic_load(&team->failed)) return 0;
  run_backward(p, team, thread);
  if (team_must_leave(team)) {
    if (thread == 0) t->optimizer = before;
    return 0;
  }
  update(t, p, *s, team, thread);
  team_barrier(team);
  return 1;
}

/* ---- one step ---- */

static void plan_training(struct trainer *t, struct program *p) {
  program_plan_forward(p, &t->loss, 1);
  program_plan_backward(p, &t->loss, 1);
}

struct single {
  struct trainer *trainer;
  struct program *program;
  struct update_step step;
};

static void single_task(void *user, struct team *team, int thread) {
  struct single *s = user;
  step(s->trainer, s->program, &s->step, team, thread);
}

static int threads_for_step(const struct program *p) { return threads_for(3 * program_work(p)); }

/* The last update may have spoilt the weights without a loss that shows it. */
static enum status judge_weights(struct trainer *t, struct program *p, struct failure *failure) {
  return weights_lost(t, p, INFINITY) ? run_explain(STATUS_NAN, failure) : STATUS_OK;
}

/* The rows that stand in the inputs, once through `task`. */
static enum status run_once(struct trainer *t, struct program *p, int64_t rows, team_task *task,
  struct failure *failure) {
  enum status s = program_set_rows(p, rows, failure);
  if (s) return s;
  plan_training(t, p);
  struct single single = {.trainer = t, .program = p};
  return run_explain(team_run(threads_for_step(p), task, &single), failure);
}

enum status train_step(struct trainer *t, struct program *p, int64_t rows, struct failure *failure) {
  enum status s = run_once(t, p, rows, single_task, failure);
  return s ? s : judge_weights(t, p, failure);
}

static void gradient_task(void *user, struct team *team, int thread) {
  struct single *s = user;
  run_forward(s->program, team, thread);
  if (team_must_leave(team)) return;
  if (thread == 0) note_loss(s->trainer, s->program);
  team_barrier(team);
  run_backward(s->program, team, thread);
}

enum status train_gradient(struct trainer *t, struct program *p, int64_t rows, struct failure *failure) {
  enum status s = run_once(t, p, rows, gradient_task, failure);
  if (!s && !isfinite(t->last_loss)) return fail(failure, STATUS_NAN, "the loss is not a finite number");
  for (int k = 0; k < p->slots_used && !s; k++) {
    const struct slot *v = &p->slots[k];
    if (v->kind == SLOT_VARIABLE) kernels[v->dtype]->penalize(shape_count(&v->shape), v->l1, v->l2, v->value,
      v->gradient);
  }
  return s;
}

/* ---- whole epochs ---- */

/* Each is the first member of the other's users. */
static struct training *training_of(struct loop *l) { return (struct training *)(void *)l; }

static void prepare_training(struct loop *l) { plan_training(training_of(l)->trainer, l->program); }

static int training_step(struct loop *l, struct team *team, int thread) {
  struct training *g = training_of(l);
  if (!step(g->trainer, l->program, &g->step, team, thread)) return 0;
  if (thread == 0) {
    g->loss_sum += g->trainer->last_loss * (double)l->rows;
    g->rows_seen += l->rows;
  }
  return 1;
}

enum status train(struct training *g) {
  struct trainer *t = g->trainer;
  g->loop.prepare = prepare_training;
  g->loop.passes = 3;
  g->loop.step = training_step;
  while (g->epochs_done < g->epochs) {
    dataset_rewind(g->loop.data, &t->random);
    g->loss_sum = 0;
    g->rows_seen = 0;
    enum status status = loop_run(&g->loop);
    if (!status) status = judge_weights(t, g->loop.program, g->loop.failure);
    if (status) return status;
    g->losses[g->epochs_done++] = g->loss_sum / (double)g->rows_seen;
    if (g->epoch_ended(g)) return STATUS_STOPPED;
  }
  return STATUS_OK;
}
