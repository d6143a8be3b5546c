/* core.c - the engine without R: kernels, derivatives, the plan of memory and the interpreter, from plain C. Run by
 * `make core`. A failed check says where it stands and ends the program.
 */
#include "graph/derive.h"
#include "ops/convolution.h"
#include "ops/attention.h"
#include "ops/normalize.h"
#include "ops/window.h"
#include "run/optimizer.h"
#include "base/random.h"
#include "run/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks;
#define CHECK(condition)                                                             \
  do {                                                                               \
    checks++;                                                                        \
    if (condition) break;                                                            \
    fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);         \
    exit(1);                                                                         \
  } while (0)

/* ---- programs in memory of our own ---- */

#define SLOTS 2000
#define NODES 1000
#define OPERANDS 8000

struct bench {
  struct program p;
  struct slot slots[SLOTS];
  struct node nodes[NODES];
  struct operand operands[OPERANDS];
  struct hole holes[SLOTS + 1];
  void *blocks[SLOTS]; /* of bound slots */
  unsigned char *arena;
};

static struct bench *bench_new(void) {
  struct bench *b = calloc(1, sizeof *b);
  b->p = (struct program){.slots = b->slots, .nodes = b->nodes, .operands = b->operands, .poisons = 1};
  return b;
}

static void bench_free(struct bench *b) {
  for (int k = 0; k < b->p.slots_used; k++) free(b->blocks[k]);
  free(b->arena);
  free(b);
}

static struct shape shape_of(int rank, int64_t a, int64_t c) { return (struct shape){rank, {a, c}}; }

/* A slot with numbers of its own, spread over (-1, 1). */
static int32_t bound(struct bench *b, int dtype, struct shape shape, int watched) {
  int32_t slot = program_add_slot(&b->p, SLOT_BOUND, dtype, &shape);
  b->slots[slot].block = slot;
  b->slots[slot].watched = watched;
  b->blocks[slot] = calloc((size_t)shape_count(&shape) + 1, dtype_size[dtype]);
  for (int64_t i = 0; i < shape_count(&shape); i++) {
    double x = fmod((double)(i + 1) * 0.6180339887 + 0.37 * slot, 1) * 2 - 1;
    if (dtype == FLOAT64) ((double *)b->blocks[slot])[i] = x;
    else if (dtype == FLOAT32) ((float *)b->blocks[slot])[i] = (float)x;
    else ((int32_t *)b->blocks[slot])[i] = (int32_t)i;
  }
  return slot;
}

/* Append an op; the slot of its output. */
static int32_t apply(struct bench *b, int op, int inputs, const int32_t *slots, struct attr attr) {
  struct operand in[8];
  struct failure failure = {STATUS_OK, ""};
  struct inference q = {.failure = &failure};
  for (int k = 0; k < inputs; k++) in[k] = (struct operand){slots[k], 0};
  CHECK(program_infer(&b->p, op, in, inputs, &attr, &q) == STATUS_OK);
  return node_outputs(&b->p, program_add_op(&b->p, &q, SLOT_COMPUTED))->slot;
}
static int32_t apply1(struct bench *b, int op, int32_t x) {
  return apply(b, op, 1, &x, (struct attr){.n_ints = op == OP_MEAN || op == OP_SUM});
}
static int32_t apply2(struct bench *b, int op, int32_t x, int32_t y) {
  return apply(b, op, 2, (int32_t[]){x, y}, (struct attr){.n_ints = 2 * (op == OP_MATMUL)});
}

static enum status run(struct bench *b, int threads) {
  struct failure failure = {STATUS_OK, ""};
  struct team_choice choice = {.pace = {1, 1e-9}, .next_trial = 1e300}; /* all threads */
  threads_set_limit(threads, 1);
  program_plan(&b->p, 0, b->holes);
  free(b->arena);
  b->arena = malloc((size_t)b->p.value_bytes + ALIGNMENT); /* Windows has no aligned_alloc() */
  memset(b->arena, 0xff, (size_t)b->p.value_bytes + ALIGNMENT); /* NaN: nobody reads what was not written */
  program_place(&b->p, b->arena + (ALIGNMENT - (uintptr_t)b->arena % ALIGNMENT), b->blocks);
  return run_program(&b->p, 0, &choice, &failure);
}

static double number(const struct bench *b, int32_t slot, int64_t i) { return slot_number(&b->slots[slot], i); }

/* ---- tests ---- */

/* mean(tanh(x w + b)^2) */
static int32_t small_network(struct bench *b, int dtype, int32_t *x, int32_t *w, int32_t *bias) {
  *x = bound(b, dtype, shape_of(2, 50, 30), 1);
  *w = bound(b, dtype, shape_of(2, 30, 20), 1);
  *bias = bound(b, dtype, shape_of(1, 20, 0), 1);
  int32_t y = apply1(b, OP_TANH, apply2(b, OP_ADD, apply2(b, OP_MATMUL, *x, *w), *bias));
  return apply1(b, OP_MEAN, apply2(b, OP_MULTIPLY, y, y));
}

static void gradients(struct bench *b, int32_t target, const int32_t *sources, int n, int32_t *found) {
  struct operand to = {target, 0}, from[8];
  for (int k = 0; k < n; k++) from[k] = (struct operand){sources[k], 0};
  struct derivation d = {0, b->p.nodes_used, &to, from, 1, n};
  for (int k = 0; k < b->p.slots_used; k++) b->slots[k].result = NO_SLOT;
  derive_reach(&b->p, &d);
  for (int k = 0; k < n; k++) CHECK(b->slots[sources[k]].gradient != NO_SLOT);
  for (int k = 0; k < b->p.slots_used; k++) b->slots[k].gradient = NO_SLOT;
  struct room room = derive_room(&b->p, &d);
  int nodes = b->p.nodes_used, slots = b->p.slots_used, operands = b->p.operands_used;
  derive(&b->p, &d, 0);
  CHECK(b->p.nodes_used - nodes <= room.nodes && b->p.slots_used - slots <= room.slots);
  CHECK(b->p.operands_used - operands <= room.operands);
  for (int k = 0; k < n; k++) {
    found[k] = b->slots[sources[k]].gradient;
    b->slots[found[k]].kept = 1;
  }
  b->slots[target].kept = 1;
}

/* The loss's slopes along number 7 of each source. */
static void check_slopes(struct bench *b, int32_t loss, const int32_t *source, int n) {
  int32_t found[8];
  gradients(b, loss, source, n, found);
  for (int k = 0; k < n; k++) {
    double *x = b->blocks[source[k]], old = x[7], h = 1e-5;
    CHECK(run(b, 1) == STATUS_OK);
    double slope = number(b, found[k], 7);
    x[7] = old + h;
    CHECK(run(b, 1) == STATUS_OK);
    double above = number(b, loss, 0);
    x[7] = old - h;
    CHECK(run(b, 1) == STATUS_OK);
    double below = number(b, loss, 0);
    x[7] = old;
    CHECK(fabs((above - below) / (2 * h) - slope) < 1e-9);
  }
}

static void test_gradients_agree_with_differences(void) {
  struct bench *b = bench_new();
  int32_t source[3];
  int32_t loss = small_network(b, FLOAT64, &source[0], &source[1], &source[2]);
  check_slopes(b, loss, source, 3);
  bench_free(b);
}

/* ---- images: convolution, pooling, normalization ---- */

enum { IMAGES = 2, HIGH = 7, WIDE = 6, CHANNELS = 5, FILTERS = 19, TALL = 3, BROAD = 2, DOWN = 2 };

/* Windows of 3 x 2, every second one downwards; with or without some padding and gaps. */
static struct attr convolution_attr(int activation, int padded) {
  return (struct attr){.n_ints = CONV_AXES + 2 * AXIS_INTS, .ints = {1, activation, DOWN, 1, padded, padded, 0,
    1, 1 + padded, 0, 2 * padded, 0}};
}
static const struct attr pool_attr = {.n_ints = POOL_WINDOWS + 4, .ints = {0, TALL, DOWN, BROAD, 1}};

/* Means and maxima of windows and sums with a kernel, one number after the other. */
static void test_windows_agree_with_loops(int dtype) {
  struct bench *b = bench_new();
  int32_t x = bound(b, dtype, (struct shape){4, {IMAGES, HIGH, WIDE, CHANNELS}}, 0);
  int32_t w = bound(b, dtype, (struct shape){4, {TALL, BROAD, CHANNELS, FILTERS}}, 0);
  int32_t y = apply(b, OP_CONV, 2, (int32_t[]){x, w}, convolution_attr(-1, 0));
  int32_t mean = apply(b, OP_AVERAGE_POOL, 1, &x, pool_attr), max = apply(b, OP_MAX_POOL, 1, &x, pool_attr);
  b->slots[y].kept = b->slots[mean].kept = b->slots[max].kept = 1;
  CHECK(run(b, 3) == STATUS_OK);
  const int high = (HIGH - TALL) / DOWN + 1, wide = WIDE - BROAD + 1;
  const double near = dtype == FLOAT32 ? 1e-5 : 1e-13;
  for (int row = 0; row < IMAGES * high * wide; row++) {
    double sum[FILTERS] = {0};
    int image = row / (high * wide), top = row / wide % high * DOWN, left = row % wide;
    for (int c = 0; c < CHANNELS; c++) {
      double all = 0, most = -INFINITY;
      for (int k = 0; k < TALL * BROAD; k++) {
        double one = number(b, x, ((image * HIGH + top + k / BROAD) * WIDE + left + k % BROAD) * CHANNELS + c);
        all += one;
        most = fmax(most, one);
        for (int f = 0; f < FILTERS; f++) sum[f] += one * number(b, w, (k * CHANNELS + c) * FILTERS + f);
      }
      CHECK(fabs(number(b, mean, row * CHANNELS + c) - all / (TALL * BROAD)) < near);
      CHECK(number(b, max, row * CHANNELS + c) == most);
    }
    for (int f = 0; f < FILTERS; f++) CHECK(fabs(number(b, y, row * FILTERS + f) - sum[f]) < 10 * near);
  }
  bench_free(b);
}

/* Kernels of 3 and of 3 x 3, whose results are found in tiles of 4 or of 2 along an axis: see kernels/winograd.h. */
static void test_tiles_agree_with_loops(int dtype) {
  enum { IN = 16, OUT = 17 };
  for (int form = 0; form < 4; form++) {
    const int wide = 4 + form % 2, high = form < 2 ? 1 : wide, top = form >= 2, tall = 1 + 2 * top;
    struct bench *b = bench_new();
    struct attr attr = {.n_ints = CONV_AXES + 2 * AXIS_INTS, .ints = {1, -1, 1, 1, top, top, 0, 1, 1, 1, 1, 0}};
    int32_t source[] = {bound(b, dtype, (struct shape){4, {IMAGES, high, wide, IN}}, 1),
      bound(b, dtype, (struct shape){4, {tall, 3, IN, OUT}}, 1)};
    int32_t x = source[0], w = source[1], y = apply(b, OP_CONV, 2, source, attr);
    struct convolution g;
    convolution_layout(&g, &attr, &b->slots[x].shape, &b->slots[w].shape, &b->slots[y].shape);
    CHECK(winograd_form(&g, 0).columns == (form % 2 ? 2 : 4));
    b->slots[y].kept = 1;
    CHECK(run(b, 3) == STATUS_OK);
    for (int at = 0; at < IMAGES * high * wide * OUT; at++) {
      int f = at % OUT, column = at / OUT % wide, row = at / OUT / wide % high, image = at / OUT / wide / high;
      double sum = 0;
      for (int k = 0; k < tall * 3 * IN; k++) {
        int up = row + k / IN / 3 - top, left = column + k / IN % 3 - 1;
        if (up < 0 || up >= high || left < 0 || left >= wide) continue;
        sum += number(b, x, ((image * high + up) * wide + left) * IN + k % IN) * number(b, w, k * OUT + f);
      }
      CHECK(fabs(number(b, y, at) - sum) < (dtype == FLOAT32 ? 1e-4 : 1e-12));
    }
    if (dtype == FLOAT64) check_slopes(b, apply1(b, OP_MEAN, apply1(b, OP_SIN, y)), source, 2);
    bench_free(b);
  }
}

static void test_gradients_of_images(void) {
  struct bench *b = bench_new();
  struct shape of_filter = shape_of(1, FILTERS, 0);
  int32_t source[] = {bound(b, FLOAT64, (struct shape){4, {IMAGES, HIGH, WIDE, CHANNELS}}, 1),
    bound(b, FLOAT64, (struct shape){4, {TALL, BROAD, CHANNELS, FILTERS}}, 1), bound(b, FLOAT64, of_filter, 1),
    bound(b, FLOAT64, of_filter, 1), bound(b, FLOAT64, of_filter, 1)};
  int32_t y = apply(b, OP_CONV, 3, source, convolution_attr(OP_TANH, 1));
  y = apply2(b, OP_ADD, apply(b, OP_MAX_POOL, 1, &y, pool_attr), apply(b, OP_AVERAGE_POOL, 1, &y, pool_attr));
  int32_t scaled[] = {y, source[3], source[4]};
  y = apply(b, OP_NORMALIZE, 3, scaled, (struct attr){.n_ints = NORMALIZE_INTS, .ints = {0, 0, 1, 1}, .reals = {1e-3}});
  check_slopes(b, apply1(b, OP_MEAN, apply1(b, OP_TANH, y)), source, 5);
  bench_free(b);
}

/* Behind a global maximum the gradient of a convolution's result is zero almost everywhere. */
static void test_gradients_of_few_results(void) {
  const int activations[] = {-1, OP_TANH};
  for (int k = 0; k < 2; k++) {
    struct bench *b = bench_new();
    int32_t source[] = {bound(b, FLOAT64, (struct shape){3, {2, 300, CHANNELS}}, 1),
      bound(b, FLOAT64, (struct shape){3, {TALL, CHANNELS, 40}}, 1), bound(b, FLOAT64, shape_of(1, 40, 0), 1)};
    int32_t y = apply(b, OP_CONV, 3, source, (struct attr){.n_ints = CONV_AXES + AXIS_INTS,
      .ints = {1, activations[k], 1, 1, 1, 1, 0}});
    int32_t most = apply(b, OP_MAX, 1, &y, (struct attr){.n_ints = 2, .ints = {0, 1}});
    check_slopes(b, apply1(b, OP_SUM, apply1(b, OP_TANH, most)), source, 3);
    bench_free(b);
  }
}

/* Several blocks of queries and keys, and two chunks of queries. */
static void test_gradients_of_attention(void) {
  for (int causal = 0; causal < 2; causal++) {
    struct bench *b = bench_new();
    int32_t source[] = {bound(b, FLOAT64, (struct shape){4, {1, 200, 1, 3}}, 1),
      bound(b, FLOAT64, (struct shape){4, {1, 201, 1, 3}}, 1), bound(b, FLOAT64, (struct shape){4, {1, 201, 1, 2}}, 1)};
    int32_t y = apply(b, OP_ATTENTION, 3, source, (struct attr){.n_ints = ATTENTION_INTS, .ints = {causal},
      .reals = {0.7, 0.1 * causal}});
    check_slopes(b, apply1(b, OP_SUM, apply1(b, OP_TANH, y)), source, 3);
    bench_free(b);
  }
}

static void test_same_bits_at_any_number_of_threads(int dtype) {
  double one[3][600] = {{0}};
  for (int threads = 1; threads <= 8; threads *= 2) {
    struct bench *b = bench_new();
    int32_t source[3], found[3];
    int32_t loss = small_network(b, dtype, &source[0], &source[1], &source[2]);
    gradients(b, loss, source, 3, found);
    CHECK(run(b, threads) == STATUS_OK);
    for (int k = 0; k < 3; k++) {
      for (int i = 0; i < (k < 2 ? 600 : 20); i++) {
        if (threads == 1) one[k][i] = number(b, found[k], i);
        CHECK(one[k][i] == number(b, found[k], i)); /* so none is NaN */
      }
    }
    bench_free(b);
  }
}

/* Shares lie side by side: no item is nobody's, none is two members'. */
static void test_shares_are_apart(void) {
  const int64_t sizes[] = {0, 1, 15, 16, 17, 100, 1000, 4097}, grains[] = {1, 3, 16, 64};
  for (int i = 0; i < 8; i++) {
    for (int j = 0; j < 4; j++) {
      for (int threads = 1; threads <= 9; threads++) {
        int64_t at = 0;
        for (int thread = 0; thread < threads; thread++) {
          struct range r = share_of(sizes[i], grains[j], thread, threads);
          CHECK(r.begin == at && r.end >= at);
          CHECK(r.begin % grains[j] == 0 || r.begin == sizes[i]);
          at = r.end;
        }
        CHECK(at == sizes[i]);
      }
    }
  }
}

/* Which nodes does a slot live between? */
static void life(const struct program *p, int32_t slot, int *first, int *last) {
  *first = p->nodes_used, *last = p->slots[slot].kept ? p->nodes_used : -1;
  for (int i = 0; i < p->nodes_used; i++) {
    const struct node *n = &p->nodes[i];
    int named = n->saved == slot || n->workspace == slot;
    for (int k = 0; k < node_operands(n); k++) named = named || p->operands[n->first + k].slot == slot;
    if (!named) continue;
    if (i < *first) *first = i;
    if (i > *last) *last = i;
  }
}

/* Random graphs of elementwise ops and reductions: slots that live at the same time lie apart, and results are those of
 * memory that is never used twice. */
static void test_slots_that_live_together_lie_apart(void) {
  struct random random;
  random_seed(&random, 1);
  for (int round = 0; round < 60; round++) {
    struct bench *b = bench_new();
    struct shape shape = shape_of(2, 100, 90);
    int32_t known[200], source[2] = {bound(b, FLOAT64, shape, 1), bound(b, FLOAT64, shape, 1)};
    int n = 0;
    known[n++] = source[0], known[n++] = source[1];
    while (n < 40) {
      static const int ops[] = {OP_ADD, OP_MULTIPLY, OP_MAXIMUM, OP_TANH, OP_SIN, OP_SOFTMAX, OP_CUMSUM};
      int op = ops[random_below(&random, 7)];
      int32_t x = known[random_below(&random, (uint32_t)n)], y = known[random_below(&random, (uint32_t)n)];
      int two = op == OP_ADD || op == OP_MULTIPLY || op == OP_MAXIMUM;
      known[n] = two ? apply2(b, op, x, y) : apply(b, op, 1, &x, (struct attr){.n_ints = op == OP_CUMSUM, .ints = {1}});
      n++;
    }
    int32_t all = apply1(b, OP_MEAN, known[0]);
    for (int k = 1; k < n; k++) all = apply2(b, OP_ADD, all, apply1(b, OP_MEAN, known[k]));
    int32_t found[2];
    gradients(b, all, source, 2, found);
    CHECK(run(b, 1 + round % 3) == STATUS_OK);
    double once[2] = {number(b, found[0], 77), number(b, found[1], 8999)};
    CHECK(isfinite(once[0]) && isfinite(once[1]));
    for (int32_t j = 0; j < b->p.slots_used; j++) {
      int first[2], last[2];
      life(&b->p, j, &first[0], &last[0]);
      for (int32_t k = 0; k < j; k++) {
        const struct slot *s = &b->slots[j], *t = &b->slots[k];
        if (s->kind != SLOT_COMPUTED || t->kind != SLOT_COMPUTED) continue;
        if (s->value_at + (int64_t)padded_bytes(shape_count(&s->shape), s->dtype) <= t->value_at) continue;
        if (t->value_at + (int64_t)padded_bytes(shape_count(&t->shape), t->dtype) <= s->value_at) continue;
        life(&b->p, k, &first[1], &last[1]);
        /* shapes alone may be needed later; what is written must not meet */
        CHECK(s->last < first[1] || t->last < first[0]);
      }
    }
    for (int32_t k = 0; k < b->p.slots_used; k++) b->slots[k].kept = b->slots[k].kind == SLOT_COMPUTED;
    CHECK(run(b, 1) == STATUS_OK);
    CHECK(once[0] == number(b, found[0], 77) && once[1] == number(b, found[1], 8999));
    bench_free(b);
  }
}

static void test_a_chain_needs_two_places(void) {
  struct bench *b = bench_new();
  int32_t x = bound(b, FLOAT32, shape_of(2, 64, 64), 0), w = bound(b, FLOAT32, shape_of(2, 64, 64), 0);
  for (int i = 0; i < 80; i++) x = apply2(b, OP_MATMUL, x, w);
  b->slots[x].kept = 1;
  CHECK(run(b, 1) == STATUS_OK);
  CHECK(b->p.value_bytes == 2 * 64 * 64 * (int64_t)sizeof(float));
  bench_free(b);
}

static void test_bad_data_end_a_run(void) {
  struct bench *b = bench_new();
  int32_t x = bound(b, FLOAT64, shape_of(2, 5, 3), 0), index = bound(b, INT32, shape_of(1, 7, 0), 0);
  apply(b, OP_GATHER, 2, (int32_t[]){x, index}, (struct attr){.n_ints = 1}); /* 0 .. 6 of 5 rows */
  CHECK(run(b, 2) == STATUS_INDEX);
  bench_free(b);
}

/* A member that runs ahead meets bad data before the others have looked: all leave at the same barrier, or one would
 * wait for ever. */
static void leave_at_a_barrier(void *user, struct team *team, int thread) {
  int *left_at = (int *)user + 2 * thread;
  for (int round = 0; round < 3; round++) {
    team_barrier(team);
    if (thread == 0 && round == 1) atomic_store(&team->failed, STATUS_INDEX);
    for (double until = seconds_now() + 0.02 * thread; seconds_now() < until;) continue;
    left_at[0] = round;
    left_at[1] = (int)team_failed(team);
    if (left_at[1]) return;
  }
}
static void test_members_leave_together(void) {
  int left_at[8] = {0};
  CHECK(team_run(4, leave_at_a_barrier, left_at) == STATUS_INDEX);
  for (int i = 0; i < 4; i++) CHECK(left_at[2 * i] == 2 && left_at[2 * i + 1] == STATUS_INDEX);
}

/* A traced step: the gradient is a node until the program is sealed, the update comes after the guard. */
static void test_a_sealed_step_trains(void) {
  struct bench *traced = bench_new(), *b = bench_new();
  int32_t x = bound(traced, FLOAT64, shape_of(2, 20, 3), 0), w = bound(traced, FLOAT64, shape_of(2, 3, 1), 0);
  struct shape numbers = shape_of(1, OPTIMIZER_NUMBERS, 0), one = shape_of(2, 3, 1);
  int32_t sgd = bound(traced, FLOAT64, numbers, 0);
  *(struct optimizer *)traced->blocks[sgd] = (struct optimizer){.kind = UPDATE_SGD, .learning_rate = 0.1};
  int32_t error = apply2(traced, OP_MATMUL, x, w), loss = apply1(traced, OP_MEAN, apply1(traced, OP_SQUARE, error));
  int unused = apply1(traced, OP_EXP, error);
  CHECK(unused != loss);
  int32_t gradient = program_add_slot(&traced->p, SLOT_COMPUTED, FLOAT64, &one);
  struct attr ask = {.n_ints = GRADIENT_INTS}, none = {0};
  ask.ints[GRADIENT_TARGETS] = ask.ints[GRADIENT_SOURCES] = 1;
  ask.ints[GRADIENT_END] = traced->p.nodes_used;
  struct operand asked[] = {{loss, 0}, {w, 0}, {w, 0}, {gradient, 0}}; /* target, source, watched; result */
  program_add_node(&traced->p, ACTION_GRADIENT, asked, 3, 1, &ask, 1);
  program_add_node(&traced->p, ACTION_GUARD, &(struct operand){loss, 0}, 1, 0, &none, 1);
  struct operand update[] = {{sgd, 0}, {gradient, 0}, {w, 0}};
  program_add_node(&traced->p, ACTION_UPDATE, update, 3, 0, &none, 1);
  traced->slots[loss].kept = 1;
  struct room room = seal_room(&traced->p);
  CHECK(room.nodes < NODES && room.operands < OPERANDS);
  memcpy(b->slots, traced->slots, sizeof b->slots);
  memcpy(b->blocks, traced->blocks, sizeof b->blocks);
  b->p.slots_used = traced->p.slots_used;
  program_seal(&traced->p, &b->p);
  for (int i = 0; i < b->p.nodes_used; i++) CHECK(b->nodes[i].op != ACTION_GRADIENT && b->nodes[i].op != OP_EXP);
  double before = 1e300;
  for (int step = 0; step < 20; step++) {
    CHECK(run(b, 1) == STATUS_OK);
    CHECK(number(b, loss, 0) < before);
    before = number(b, loss, 0);
  }
  ((double *)b->blocks[x])[0] = NAN;
  double kept = ((double *)b->blocks[w])[0];
  CHECK(run(b, 1) == STATUS_NAN);
  CHECK(kept == ((double *)b->blocks[w])[0]);
  memset(traced->blocks, 0, sizeof traced->blocks);
  bench_free(traced);
  bench_free(b);
}

int main(void) {
  static const char *const sets[] = {"portable", "avx2", "avx512"}; /* or the widest that the processor has */
  for (int i = 0; i < 3; i++) {
    kernels_choose(sets[i]);
    test_gradients_agree_with_differences();
    test_windows_agree_with_loops(FLOAT64);
    test_windows_agree_with_loops(FLOAT32);
    test_tiles_agree_with_loops(FLOAT64);
    test_tiles_agree_with_loops(FLOAT32);
    test_gradients_of_images();
    test_gradients_of_few_results();
    test_gradients_of_attention();
    test_same_bits_at_any_number_of_threads(FLOAT64);
    test_same_bits_at_any_number_of_threads(FLOAT32);
  }
  test_shares_are_apart();
  test_slots_that_live_together_lie_apart();
  test_a_chain_needs_two_places();
  test_bad_data_end_a_run();
  test_members_leave_together();
  test_a_sealed_step_trains();
  threads_end();
  printf("%d checks of the core passed\n", checks);
  return 0;
}
