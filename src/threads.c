#define _POSIX_C_SOURCE 200112L /* pthread_atfork, sched_yield, clock_gettime */
#include "threads.h"

#include <math.h>
#include <time.h>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif
#ifndef _WIN32
#include <pthread.h>
#include <sched.h>
#endif

/* Two threads share a step only if it is worth some barriers (a microsecond each). */
#define WORK_PER_THREAD 1.5e6

/* With `forked` the only mutable file-level state of the core. */
static int limit = 1;
static struct team_choice shared_choice;
static int (*question)(void);

/* OpenMP's threads do not survive a fork: a child works alone. */
#if defined(_OPENMP) && !defined(_WIN32)
static int forked = -1; /* -1: nobody watches yet */
static void in_child(void) { forked = 1; }
static void watch_forks(void) {
  if (forked < 0) forked = pthread_atfork(NULL, NULL, in_child) != 0;
}
#else
enum { forked = 0 };
static void watch_forks(void) {}
#endif

int threads_available(void) {
#ifdef _OPENMP
  int n = omp_get_num_procs();
  int allowed = omp_get_thread_limit();
  return n < allowed ? n : allowed;
#else
  return 1;
#endif
}

void threads_set_limit(int n) {
  watch_forks();
  limit = n < 1 ? 1 : n;
  if (limit > threads_available()) limit = threads_available();
}

int threads_limit(void) { return forked ? 1 : limit; }

int threads_for(double work) {
  int n = threads_limit();
  double worth = work / WORK_PER_THREAD;
  return worth >= n ? n : worth < 1 ? 1 : (int)worth;
}

/* Moments and activations decay into denormal numbers, on which processors are up to a hundred
 * times slower; nothing in training depends on them. */
static unsigned denormals_flush(void) {
#if defined(__SSE2__)
  unsigned mode = _mm_getcsr();
  _mm_setcsr(mode | 0x8040u); /* flush to zero, denormals are zero */
  return mode;
#else
  return 0;
#endif
}

static void denormals_restore(unsigned mode) {
#if defined(__SSE2__)
  _mm_setcsr(mode);
#else
  (void)mode;
#endif
}

static void team_member(struct team *team, int thread, team_task *task, void *user) {
  unsigned mode = denormals_flush();
  task(user, team, thread);
  denormals_restore(mode);
}

static enum status team_status(struct team *team) {
  return atomic_load(&team->stop) ? STATUS_INTERRUPTED : (enum status)atomic_load(&team->failed);
}

enum status team_run(int n, team_task *task, void *user) {
  struct team team = {.threads = n};
#ifdef _OPENMP
  if (n > 1) {
#pragma omp parallel num_threads(n)
    {
#pragma omp single
      team.threads = omp_get_num_threads(); /* may be fewer than asked for */
      team_member(&team, omp_get_thread_num(), task, user);
    }
    return team_status(&team);
  }
#endif
  team.threads = 1;
  team_member(&team, 0, task, user);
  return team_status(&team);
}

/* Waits are short, so members spin: who yields while the others are merely slower may get the core back
 * milliseconds later, if another process wants it. After about a millisecond the others are probably waiting for
 * a core themselves. */
#define SPINS 30000

void team_barrier(struct team *team) {
  if (team->threads == 1) return;
  int round = atomic_load_explicit(&team->round, memory_order_acquire);
  if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == team->threads) {
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&team->round, round + 1, memory_order_release);
    return;
  }
  for (int turn = 0; atomic_load_explicit(&team->round, memory_order_acquire) == round; turn++) {
#if defined(__SSE2__)
    _mm_pause();
#endif
#ifndef _WIN32
    if (turn > SPINS) sched_yield();
#endif
  }
}

void threads_set_question(int (*ask)(void)) { question = ask; }

/* The clock is looked at after so much work only, in floating point operations. */
#define WORK_PER_LOOK 2e6

int team_may_rest(struct team *team, int thread, double work) {
  if (atomic_load_explicit(&team->stop, memory_order_relaxed)) return 1;
  if (thread || team->firm || (team->work += work) < WORK_PER_LOOK) return 0;
  team->work = 0;
  double now = seconds_now();
  if (team->next_question == 0) team->next_question = now + QUESTION_SECONDS; /* short runs never ask */
  if (now < team->next_question || !question) return 0;
  int stop = question();
  team->next_question = seconds_now() + QUESTION_SECONDS;
  if (stop) atomic_store_explicit(&team->stop, atomic_load(&team->round) + 1, memory_order_release);
  return stop;
}

double seconds_now(void) {
  struct timespec t;
#if defined(CLOCK_MONOTONIC)
  clock_gettime(CLOCK_MONOTONIC, &t);
#else
  timespec_get(&t, TIME_UTC);
#endif
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define FIRST_TRIAL 0.5 /* seconds until the slower way is tried again; then twice as long, and so on */
#define LONGEST_WAIT 20

int team_choose(struct team_choice *c, int *trial) {
  *trial = 1;
  if (c->pace[1] == 0) return 1;
  if (c->pace[0] == 0) return 0;
  int best = c->pace[1] <= c->pace[0];
  double now = seconds_now();
  if (now >= c->next_trial) {
    c->wait = c->wait == 0 ? FIRST_TRIAL : fmin(2 * c->wait, LONGEST_WAIT);
    c->next_trial = now + c->wait;
    return !best;
  }
  *trial = 0;
  return best;
}

struct team_choice *team_choice_shared(void) { return &shared_choice; }

void team_note(struct team_choice *c, int all, double pace, double weight) {
  c->pace[all] = c->pace[all] == 0 ? pace : weight * pace + (1 - weight) * c->pace[all];
}
