#include "run/loop.h"

#define POLL_SECONDS 0.05 /* the caller hears from us at least so often, if steps are shorter */
#define TRIAL_SECONDS 0.005

/* What the members of a team share until the next poll. */
struct stretch {
  struct loop *loop;
  double until;
  int steps;
  int64_t rows;
};

/* Member 0 decides about the next step. */
static void choose_batch(struct stretch *s, struct team *team) {
  struct loop *l = s->loop;
  l->rows = 0;
  if (s->steps > 0 && (l->every_step || seconds_now() >= s->until)) return;
  l->rows = dataset_next(l->data, l->batch, l->only, &l->begin, team);
  l->ended = l->rows == 0;
  s->steps += l->rows > 0;
  s->rows += l->rows;
  if (l->rows && !l->own_rows && program_set_rows(l->program, l->rows, l->failure))
    atomic_store(&team->failed, STATUS_SHAPE);
}

static void stretch_task(void *user, struct team *team, int thread) {
  struct stretch *s = user;
  struct loop *l = s->loop;
  for (;;) {
    if (thread == 0) choose_batch(s, team);
    team_barrier(team);
    if (l->rows == 0 || team_failed(team)) return;
    if (!l->own_rows) {
      dataset_gather(l->data, l->program, l->begin, l->rows, thread, team->threads);
      team_barrier(team);
    }
    if (!l->step(l, team, thread)) return;
    team_barrier(team);
  }
}

static enum status run_stretch(struct loop *l, int *steps) {
  int most = threads_for(program_work(l->program, 0)), all = 0, trial = 0;
  double start = seconds_now();
  if (most > 1) all = team_choose(l->choice, &trial);
  struct stretch s = {.loop = l, .until = start + (trial ? TRIAL_SECONDS : POLL_SECONDS)};
  enum status status = team_run(all ? most : 1, stretch_task, &s);
  *steps = s.steps;
  if (most > 1 && s.rows > 0) team_note(l->choice, all, (seconds_now() - start) / (double)s.rows, 1);
  return status == STATUS_SHAPE ? status : run_explain(status, l->failure);
}

enum status loop_run(struct loop *l) {
  for (int steps = l->ended = 0; !l->ended;) {
    enum status status = run_stretch(l, &steps);
    if (status) return status;
    if (steps > 0 && l->poll(l)) return STATUS_STOPPED;
  }
  return STATUS_OK;
}
