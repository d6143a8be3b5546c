#include "run.h"

/* The kernel of a node is picked by the number type of its key input. */
static const struct kernels *kernels_of(const struct program *p, const struct node *n) {
  return kernels[p->slots[p->operands[n->first + op_key(n->op)].slot].dtype];
}

void run_forward(struct program *p, struct team *team, int thread) {
  for (int i = 0; i < p->nodes_used; i++) {
    struct call c = {p, &p->nodes[i], team, thread};
    if (!c.node->forward) continue;
    kernels_of(p, c.node)->forward[c.node->op](&c);
    team_barrier(team);
  }
}

void run_backward(struct program *p, struct team *team, int thread) {
  for (int i = p->nodes_used - 1; i >= 0; i--) {
    struct call c = {p, &p->nodes[i], team, thread};
    if (!c.node->backward) continue;
    kernels_of(p, c.node)->backward[c.node->op](&c);
    team_barrier(team);
  }
}

enum status run_explain(enum status s, struct failure *failure) {
  if (s == STATUS_INDEX) return fail(failure, s, "a label or index in the data lies outside the classes or rows there are");
  if (s == STATUS_NAN)
    return fail(failure, s, "the loss is no longer a finite number; the weights are the last good ones. "
                            "A smaller learning rate or scaled inputs may help");
  return s;
}

struct run {
  struct program *program;
  int forward, backward;
};

static void run_task(void *user, struct team *team, int thread) {
  struct run *r = user;
  if (r->forward) run_forward(r->program, team, thread);
  if (r->backward) run_backward(r->program, team, thread);
}

enum status run_program(struct program *p, int forward, int backward, struct failure *failure) {
  struct run r = {p, forward, backward};
  double work = program_work(p) * (forward + 2 * backward);
  return run_explain(team_run(threads_for(work), run_task, &r), failure);
}
