/* threads.h - all that the core knows of threads: a team walks a program together, each member
 * does its share of every kernel (share.h), and they meet at barriers. Shares depend on sizes alone and no
 * sum is ever split between threads, so results do not depend on the number of threads. */
#ifndef THREADS_H
#define THREADS_H

#include "base/share.h"
#include <stdatomic.h>

struct team {
  int threads;
  atomic_int arrived; /* at the current barrier */
  atomic_int round;   /* barriers passed */
  atomic_int failed;  /* an enum status set by a kernel that met bad data */
  int known;          /* what it was when all met last */
  atomic_int stop;    /* the number of the barrier after which all members leave; 0: they go on */
  int firm;           /* what is under way has begun to change variables, and is finished */
  double next_question, work; /* of member 0: when it asks again, and what was done since it looked at the clock */
};

/* Upper limit set by the user (see R's nn_threads()); always 1 in a forked child. More than the processors is allowed,
 * more than MAX_THREADS or the environment's OMP_THREAD_LIMIT is not. `work` is what each thread must have to do, in
 * floating point operations; 0: the usual. */
#define MAX_THREADS 256
int threads_limit(void);
void threads_set_limit(int n, double work);
int threads_available(void); /* processors */

/* Before the library is unloaded. */
void threads_end(void);

/* How many threads `work` (floating point operations) deserves. */
int threads_for(double work);

/* Run task(user, team, thread) on every member of a team of n; denormal numbers are flushed to
 * zero inside and the processor's mode is put back. Returns the status that kernels left. */
typedef void team_task(void *user, struct team *team, int thread);
enum status team_run(int n, team_task *task, void *user);

void team_barrier(struct team *team);

/* What is not ours, and runs within a team, wants its denormal numbers back meanwhile. Returns the mode to be set
 * again. */
uint64_t threads_keep_denormals(void);
void threads_set_mode(uint64_t mode);

/* Does the user want a stop? Long runs ask through this function, in member 0 (the thread of the caller), about every
 * QUESTION_SECONDS; it must not jump away. NULL: nobody is asked. */
#define QUESTION_SECONDS 0.05
void threads_set_question(int (*question)(void));

/* By all members before each part of their work, of which they did `work` before; cheap. Nonzero: what follows up to
 * the next barrier may be left out, as its results are dropped. */
int team_may_rest(struct team *team, int thread, double work);

/* After a barrier: must the team leave? All members see the same. */
static inline int team_must_leave(struct team *team) {
  int stop = atomic_load_explicit(&team->stop, memory_order_acquire);
  return stop && (team->threads == 1 || atomic_load_explicit(&team->round, memory_order_acquire) - stop >= 0);
}

/* The status that was there at the last barrier. All members see the same, and so leave together, while one that runs
 * ahead may meet bad data already. */
static inline enum status team_failed(const struct team *team) {
  return (enum status)(team->threads == 1 ? atomic_load(&team->failed) : team->known);
}

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

/* On a machine that is busy otherwise, threads wait for each other longer than they work. So who runs the same work
 * again and again times both ways at the start, and the slower one now and then, for a moment. */
struct team_choice {
  double pace[2]; /* seconds per unit of work on one thread, and on all; 0: not known yet */
  double next_trial, wait;
};

/* Use all threads (1) or one (0) this time? *trial: only to learn the pace. */
int team_choose(struct team_choice *c, int *trial);

/* Of all that is run once only, in any order. */
struct team_choice *team_choice_shared(void);

/* It took so long, per unit of work; `weight` of it counts beside what was known. */
void team_note(struct team_choice *c, int all, double pace, double weight);

#endif
