/* recurrent.h - what the ops lstm, gru and simple_rnn share whatever the number type: their attributes, the layout of
 * what they save, and the packing of a batch of sequences.
 *
 * A masked step changes nothing, so only real steps are computed. Sequences are sorted by their number of real steps,
 * the longest first, and "step t" is the t-th real step of each. Packed rows go step by step: step t has as many rows
 * as there are sequences longer than t, and these are the first so many of the sorted ones. No loop over packed rows
 * needs a mask.
 *
 * Letters: B sequences, T time, I inputs, U units, G columns of the kernel (gates times U), N real steps in all (at
 * most B T), V rows of the table, M rows to multiply with the kernel: N, or the distinct tokens where a table is given.
 */
#ifndef RECURRENT_H
#define RECURRENT_H

#include "ops/ops.h"
#include "base/share.h"

/* Attributes (ints). The flags in the middle say which inputs follow x, kernel and recurrent kernel, in this order.
 * That of the table may be TOKENS_CHECKED: tokens outside it are refused at masked steps, too, as by a gather. */
enum { CELL_OUTPUT, CELL_BACKWARDS, CELL_ACTIVATION, CELL_RECURRENT_ACTIVATION,
       CELL_BIAS, CELL_MASK, CELL_RECURRENT_MASK, CELL_TABLE, CELL_FIRST_H, CELL_FIRST_C, CELL_RESET_AFTER, CELL_INTS,
       TOKENS_CHECKED = 2 };

/* The first output: h after the last step (B, U) or after each (B, T, U). A masked step repeats what came before it,
 * and before the first real step that is 0. The others are the state at the end, which without a real step is the
 * first one: h (B, U) and, of an lstm, c (B, U). */
enum { CELL_Y, CELL_H, CELL_C };
#define CELL_OUTPUTS(ROW) ROW(LAST, last) ROW(SEQUENCE, sequence)
#define OUTPUT_ENUM(ENUM, name) OUTPUT_##ENUM,
enum { CELL_OUTPUTS(OUTPUT_ENUM) OUTPUT_COUNT };
#undef OUTPUT_ENUM

/* Activations whose derivative follows from their value. */
#define CELL_ACTIVATIONS(ROW) ROW(LINEAR, linear) ROW(TANH, tanh) ROW(SIGMOID, sigmoid) \
  ROW(HARD_SIGMOID, hard_sigmoid) ROW(RELU, relu) ROW(ELU, elu) ROW(SELU, selu) ROW(SOFTPLUS, softplus) \
  ROW(SOFTSIGN, softsign) ROW(EXP, exponential)
#define CELL_ENUM(ENUM, name) CELL_##ENUM,
enum { CELL_ACTIVATIONS(CELL_ENUM) CELL_ACTIVATION_COUNT };
#undef CELL_ENUM

extern const char *const cell_output_name[OUTPUT_COUNT], *const cell_activation_name[CELL_ACTIVATION_COUNT];

static inline int op_is_recurrent(int op) { return op == OP_LSTM || op == OP_GRU || op == OP_SIMPLE_RNN; }

/* Which input is meant by a flag; -1: it is absent. */
int cell_input(const struct attr *a, int flag);

/* Gates of a cell: how many times its units its kernel has columns. */
int cell_gates(int op);

/* What is saved for the derivative, and then what is needed while the op or its derivative runs, in numbers of the op's
 * type. */
enum cell_buffer {
  CELL_COUNTS,     /* integers, see struct packing */
  CELL_GATES,      /* (N, G) activated gates */
  CELL_PRODUCT,    /* (N, G) gru, reset after: h times the recurrent kernel, plus bias */
  CELL_STATE,      /* (N, U) h before each step: what the step multiplies with the recurrent kernel */
  CELL_DROPPED,    /* (N, U) the same times the recurrent mask */
  CELL_MEMORY,     /* (N, U) lstm: c after each step */
  CELL_SQUASHED,   /* (N, U) lstm: activation(c) */
  CELL_RESET,      /* (N, U) gru, reset before: r h */
  CELL_LAST,       /* (B, U) h after the last step of each sorted sequence */
  CELL_ROWS,       /* (M, I) inputs of the real steps, or distinct rows of the table */
  CELL_PROJECTED,  /* (M, G) with a table: rows times kernel plus bias; in the backward pass the gradient of that */
  CELL_PANELS,     /* the recurrent kernel, in the backward pass its transpose, as products read them */
  CELL_DGATES,     /* (N, G) gradients before activation; before that, columns 1 .. U hold those of the output */
  CELL_DPRODUCT,   /* (N, G) gru, reset after: gradient of the product */
  CELL_CARRY,      /* (B, U) gradient of h, on its way back in time */
  CELL_CARRY_C,    /* (B, U) lstm: of c; gru: a product on its way to CELL_CARRY */
  CELL_DROWS,      /* (M, I) gradient of the rows */
  CELL_BUFFERS,
  CELL_SAVED = CELL_PROJECTED /* those before it are saved */
};

struct recurrent {
  int64_t batch, steps, inputs, units, gates; /* B, T, I, U, G */
  int64_t vocabulary;                         /* V, 0 without a table */
  int64_t tokens, rows;                       /* the most that N and M can be */
  int64_t at[CELL_BUFFERS];                   /* where each part begins, of what is saved or of the workspace */
  int64_t saved, workspace, derivative_workspace; /* numbers in all */
};

/* Sizes and layout; `shape` of all inputs, `size` of a number in bytes. */
void recurrent_layout(struct recurrent *r, int op, const struct shape *const *shape, const struct attr *a, size_t size);

/* Integers at the start of what is saved. */
struct packing {
  int32_t *used;     /* (2) N and, with a table, M */
  int32_t *order;    /* (B) the sorted sequences */
  int32_t *length;   /* (B) their real steps */
  int32_t *first;    /* (T + 1) packed row at which step t begins */
  int32_t *source;   /* (N) b T + time: where each packed row comes from */
  int32_t *row;      /* (N) which projected row it wants (table) */
  int32_t *distinct; /* (M) their tokens (table) */
  int32_t *work;     /* (B + T + 1 + V) */
};
void packing_place(struct packing *p, const struct recurrent *r, int32_t *integers);

/* The data that decide which steps are real: tokens (or NULL) and mask (or NULL), both (B, T). A token outside the
 * table makes its step a masked one. */
struct steps {
  const int32_t *token;
  const unsigned char *mask;
  int64_t vocabulary;
  int all_checked; /* are tokens of masked steps refused, too? */
};
static inline int token_is_known(const struct steps *s, int64_t at) {
  return !s->token || (s->token[at] >= 0 && s->token[at] < s->vocabulary);
}
static inline int step_is_real(const struct steps *s, int64_t at) {
  return (!s->mask || s->mask[at]) && token_is_known(s, at);
}

/* Fill `p`. STATUS_INDEX if a step whose token counts has one outside the table. */
enum status packing_fill(struct packing *p, const struct recurrent *r, const struct steps *s, int backwards);

/* Rows of step t, all of which belong to the first sorted sequences. */
static inline int64_t step_rows(const struct packing *p, int64_t t) { return p->first[t + 1] - p->first[t]; }

/* This member's sorted sequences: neighbours, with about the same number of real steps as the others'. */
struct range packing_share(const struct packing *p, const struct recurrent *r, int thread, int threads);

#endif
