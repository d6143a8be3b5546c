#define _GNU_SOURCE /* pthread_atfork, clock_gettime */
#include "base/threads.h"
#include "base/system.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

/* Two threads share a step only if it is worth some barriers (a microsecond each). */
#define WORK_PER_THREAD 1.5e6

/* With the pool the only mutable file-level state of the core. */
static int limit = 1;
static double work_per_thread = WORK_PER_THREAD;
static struct team_choice shared_choice;
static int (*question)(void);

/* Threads do not survive a fork: a child works alone. */
#ifndef _WIN32
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
  int n = system_processors();
  return n < 1 ? 1 : n < MAX_THREADS ? n : MAX_THREADS;
}

/* What OpenMP's variable allows all threads of a process, as clusters and checks set it. */
static int threads_allowed(void) {
  const char *text = getenv("OMP_THREAD_LIMIT");
  long n = text ? strtol(text, NULL, 10) : 0;
  return n > 0 && n < MAX_THREADS ? (int)n : MAX_THREADS;
}

void threads_set_limit(int n, double work) {
  watch_forks();
  work_per_thread = work > 0 ? work : WORK_PER_THREAD;
  int allowed = threads_allowed();
  limit = n < 1 ? 1 : n < allowed ? n : allowed;
}

int threads_limit(void) { return forked ? 1 : limit; }

int threads_for(double work) {
  int n = threads_limit();
  double worth = work / work_per_thread;
  return worth >= n ? n : worth < 1 ? 1 : (int)worth;
}

/* Moments and activations decay into denormal numbers, on which processors are up to a hundred
 * times slower; nothing in training depends on them. */
#if defined(__SSE2__)
typedef unsigned float_mode;
#define FLUSH 0x8040u /* flush to zero, denormals are zero */
static float_mode get_float_mode(void) { return _mm_getcsr(); }
static void set_float_mode(float_mode mode) { _mm_setcsr(mode); }
static void relax(void) { _mm_pause(); }
#elif defined(__aarch64__) && defined(__GNUC__)
typedef uint64_t float_mode;
#define FLUSH (UINT64_C(1) << 24) /* FZ: denormals are zero, as numbers given and as results */
static float_mode get_float_mode(void) {
  float_mode mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
static void set_float_mode(float_mode mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
static void relax(void) { __asm__ volatile("yield"); }
#else
typedef unsigned float_mode;
#define FLUSH 0
static float_mode get_float_mode(void) { return 0; }
static void set_float_mode(float_mode mode) { (void)mode; }
static void relax(void) {}
#endif

uint64_t threads_keep_denormals(void) {
  float_mode mode = get_float_mode();
  set_float_mode(mode & ~(float_mode)FLUSH);
  return mode;
}

void threads_set_mode(uint64_t mode) { set_float_mode((float_mode)mode); }

static void team_member(struct team *team, int thread, team_task *task, void *user) {
  float_mode mode = get_float_mode();
  set_float_mode(mode | FLUSH);
  task(user, team, thread);
  set_float_mode(mode);
}

static enum status team_status(struct team *team) {
  return atomic_load(&team->stop) ? STATUS_INTERRUPTED : (enum status)atomic_load(&team->failed);
}

/* Waits are short, so threads spin: who yields while the others are merely slower may get the core back milliseconds
 * later, if another process wants it. After about a millisecond the others are probably waiting for a core
 * themselves. */
#define SPINS 30000

static void spin(int turn) {
  relax();
  if (turn > SPINS) sched_yield();
}

void team_barrier(struct team *team) {
  if (team->threads == 1) return;
  int round = atomic_load_explicit(&team->round, memory_order_acquire);
  if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == team->threads) {
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    team->known = atomic_load(&team->failed);
    atomic_store_explicit(&team->round, round + 1, memory_order_release);
    return;
  }
  for (int turn = 0; atomic_load_explicit(&team->round, memory_order_acquire) == round; turn++) spin(turn);
}

/* The threads beside the caller's. They are made when a team first needs them, and stay. One that has nothing to do
 * spins for a while, as steps follow each other, and then sleeps until it is woken. */
struct worker {
  pthread_t thread;
  atomic_int go; /* calls so far */
};

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  struct worker worker[MAX_THREADS]; /* from number 1 on */
  int workers;
  atomic_int sleepers, done, busy;
  team_task *task; /* of the present team, as are the next two; NULL calls workers to leave */
  void *user;
  struct team *team;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* A sleeper counts itself before it looks, and who calls looks at the count after the call, so no call is missed. */
static void wait_for_call(struct worker *w, int calls) {
  for (int turn = 0; turn < SPINS; turn++) {
    if (atomic_load_explicit(&w->go, memory_order_acquire) != calls) return;
    spin(0);
  }
  pthread_mutex_lock(&pool.mutex);
  atomic_fetch_add(&pool.sleepers, 1);
  while (atomic_load(&w->go) == calls) pthread_cond_wait(&pool.wake, &pool.mutex);
  atomic_fetch_sub(&pool.sleepers, 1);
  pthread_mutex_unlock(&pool.mutex);
}

static void call_workers(int n) {
  for (int i = 1; i <= n; i++) atomic_fetch_add(&pool.worker[i].go, 1);
  if (!atomic_load(&pool.sleepers)) return;
  pthread_mutex_lock(&pool.mutex);
  pthread_cond_broadcast(&pool.wake);
  pthread_mutex_unlock(&pool.mutex);
}

static void *work(void *of) {
  struct worker *w = of;
  for (int calls = 0;; calls++) {
    wait_for_call(w, calls);
    if (!pool.task) return NULL;
    team_member(pool.team, (int)(w - pool.worker), pool.task, pool.user);
    atomic_fetch_add_explicit(&pool.done, 1, memory_order_release);
  }
}

#define STACK_BYTES (4 << 20)

/* Signals, such as that of Ctrl-C, are for the caller's thread: R's handlers know no other. */
static int grow_pool(int workers) {
  pthread_attr_t attributes;
  if (pool.workers >= workers || pthread_attr_init(&attributes)) return pool.workers;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
#ifndef _WIN32
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
  while (pool.workers < workers) {
    struct worker *w = &pool.worker[pool.workers + 1];
    atomic_store(&w->go, 0);
    if (pthread_create(&w->thread, &attributes, work, w)) break; /* the team is smaller */
    pool.workers++;
  }
#ifndef _WIN32
  pthread_sigmask(SIG_SETMASK, &before, NULL);
#endif
  pthread_attr_destroy(&attributes);
  return pool.workers;
}

void threads_end(void) {
  if (forked || !pool.workers) return;
  pool.task = NULL;
  call_workers(pool.workers);
  for (; pool.workers; pool.workers--) pthread_join(pool.worker[pool.workers].thread, NULL);
}

enum status team_run(int n, team_task *task, void *user) {
  struct team team = {.threads = 1};
  /* who is asked while a team is at work may start another run, which is done alone */
  int ours = n > 1 && !forked && !atomic_exchange(&pool.busy, 1), workers = ours ? grow_pool(n - 1) : 0;
  if (workers > n - 1) workers = n - 1;
  if (workers) {
    team.threads = workers + 1;
    pool.task = task, pool.user = user, pool.team = &team;
    atomic_store(&pool.done, 0);
    call_workers(workers);
  }
  team_member(&team, 0, task, user);
  for (int turn = 0; atomic_load_explicit(&pool.done, memory_order_acquire) < workers; turn++) spin(turn);
  if (ours) atomic_store(&pool.busy, 0);
  return team_status(&team);
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
