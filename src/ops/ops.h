/* ops.h - THE table: every op the engine knows, one row each.
 *
 * To add an op: a row here, a shape rule in ops.c if none fits, a forward and a backward kernel in
 * kernels/, a wrapper in R/op.R, a case in tests/testthat/helper-op-cases.R. Forgetting one is a
 * build error or a failing test.
 *
 * Columns: ROW(ENUM, name, fewest and most inputs (0: any number, -1: none), shape rule, differentiable?, formula,
 * what few ops have: see ops.c). Which number types an op accepts is given by the part of the table it stands in.
 */
#ifndef OPS_H
#define OPS_H

#include "ops/node.h"

/* float32, float64 */
#define OP_TABLE_FLOAT(ROW)                                                                       \
  ROW(DIVIDE,    divide,    2, 2, broadcast, YES, "y = a / b", UNREAD(INPUT(0)))                  \
  ROW(POWER,     power,     2, 2, broadcast, YES, "y = a ^ b")                                    \
  ROW(EXP,       exp,       1, 1, same,      YES, "y = exp(x)", FUSABLE, BY_OUTPUT)               \
  ROW(LOG,       log,       1, 1, same,      YES, "y = log(x)", BY_INPUTS)                        \
  ROW(SQRT,      sqrt,      1, 1, same,      YES, "y = sqrt(x)", BY_OUTPUT)                       \
  ROW(SIN,       sin,       1, 1, same,      YES, "y = sin(x)", BY_INPUTS)                        \
  ROW(COS,       cos,       1, 1, same,      YES, "y = cos(x)", BY_INPUTS)                        \
  ROW(TAN,       tan,       1, 1, same,      YES, "y = tan(x)", BY_OUTPUT)                        \
  ROW(ASIN,      asin,      1, 1, same,      YES, "y = asin(x)", BY_INPUTS)                       \
  ROW(ACOS,      acos,      1, 1, same,      YES, "y = acos(x)", BY_INPUTS)                       \
  ROW(ATAN,      atan,      1, 1, same,      YES, "y = atan(x)", BY_INPUTS)                       \
  ROW(SINH,      sinh,      1, 1, same,      YES, "y = sinh(x)", BY_INPUTS)                       \
  ROW(COSH,      cosh,      1, 1, same,      YES, "y = cosh(x)", BY_INPUTS)                       \
  ROW(LOG1P,     log1p,     1, 1, same,      YES, "y = log(1 + x)", BY_INPUTS)                    \
  ROW(EXPM1,     expm1,     1, 1, same,      YES, "y = exp(x) - 1", BY_INPUTS)                    \
  ROW(ERF,       erf,       1, 1, same,      YES, "y = 2 Phi(sqrt(2) x) - 1", BY_INPUTS)          \
  ROW(LGAMMA,    lgamma,    1, 1, same,      YES, "y = log(|gamma(x)|)", BY_INPUTS)               \
  ROW(DIGAMMA,   digamma,   1, 1, same,      YES, "y = lgamma'(x)", BY_INPUTS)                    \
  ROW(FLOOR,     floor,     1, 1, same,      YES, "y = floor(x); derivative 0", BY_SHAPE)         \
  ROW(CEILING,   ceiling,   1, 1, same,      YES, "y = ceiling(x); derivative 0", BY_SHAPE)       \
  ROW(ROUND,     round,     1, 1, same,      YES, "y = x rounded, half to even; derivative 0", BY_SHAPE) \
  ROW(RELU,      relu,      1, 1, same,      YES, "y = max(x, 0)", FUSABLE, BY_INPUTS)            \
  ROW(LEAKY_RELU, leaky_relu, 1, 1, same,    YES, "y = x if x > 0 else slope x",                  \
      WITH("negative_slope:r"), FUSABLE, BY_INPUTS)                                               \
  ROW(ELU,       elu,       1, 1, same,      YES, "y = x if x > 0 else alpha (exp(x) - 1)",       \
      WITH("alpha:r"), FUSABLE)                                                                   \
  ROW(SELU,      selu,      1, 1, same,      YES, "y = scale elu(x)", FUSABLE)                    \
  ROW(GELU,      gelu,      1, 1, same,      YES, "y = x Phi(x)", BY_INPUTS)                      \
  ROW(SIGMOID,   sigmoid,   1, 1, same,      YES, "y = 1 / (1 + exp(-x))", FUSABLE, BY_OUTPUT)    \
  ROW(TANH,      tanh,      1, 1, same,      YES, "y = tanh(x)", FUSABLE, BY_OUTPUT)              \
  ROW(SOFTPLUS,  softplus,  1, 1, same,      YES, "y = log(1 + exp(x))", FUSABLE, BY_OUTPUT)      \
  ROW(STEP,      step,      1, 1, same,      YES, "y = 1 if x > 0 else 0; derivative 0", BY_SHAPE) \
  ROW(SOFTMAX,   softmax,   1, 1, rows,      YES, "y = exp(x) / sum(exp(x)), last axis", BY_OUTPUT) \
  ROW(LOG_SOFTMAX, log_softmax, 1, 1, rows,  YES, "y = x - log(sum(exp(x))), last axis", BY_OUTPUT) \
  ROW(DENSE,     dense,     2, 3, dense,     YES, "y = activation(x W + b)", WITH("activation:o"), UNREAD(INPUT(2)), \
      PATIENT)                                                                                    \
  ROW(CONV,      conv,      2, 3, convolution, YES, "y = activation(x * W + b), channels last: see convolution.h", \
      WITH(CONVOLUTION), UNREAD(INPUT(2)), PATIENT)                                               \
  ROW(CONV_TRANSPOSE, conv_transpose, 2, 2, convolution, YES, "the x of y = x * W that dy has the slope of", \
      WITH(CONVOLUTION), BY_INPUTS, PATIENT)                                                      \
  ROW(CONV_KERNEL, conv_kernel, 2, 2, convolution, YES, "its W", WITH(CONVOLUTION), BY_INPUTS, PATIENT) \
  ROW(MEAN,      mean,      1, 1, reduce,    YES, "y = mean(x) over axes", WITH("keepdims:f axis:a*"), BY_SHAPE) \
  ROW(BINARY_CROSSENTROPY, binary_crossentropy, 2, 2, loss, YES, "from probabilities",            \
      WITH("mean:f clip:r epsilon:r"), BY_INPUTS)                                                 \
  ROW(SIGMOID_CROSSENTROPY, sigmoid_crossentropy, 2, 2, saving_loss, YES, "binary, from logits",  \
      WITH("mean:f clip:r epsilon:r"), CALLED("binary_crossentropy"), UNREAD(INPUT(1) | OUTPUT))  \
  ROW(CATEGORICAL_CROSSENTROPY, categorical_crossentropy, 2, 2, loss, YES, "from probabilities",  \
      WITH("mean:f normalize:f clip:r epsilon:r"), BY_INPUTS)                                     \
  ROW(SOFTMAX_CROSSENTROPY, softmax_crossentropy, 2, 2, saving_loss, YES, "from logits",          \
      WITH("mean:f normalize:f clip:r epsilon:r"), CALLED("categorical_crossentropy"), BY_INPUTS) \
  ROW(SPARSE_CATEGORICAL_CROSSENTROPY, sparse_categorical_crossentropy, 2, 2, label_loss, YES,    \
      "from probabilities and labels 0 .. K-1", WITH("-:- normalize:f clip:r epsilon:r"), INDEX(1), BY_INPUTS) \
  ROW(SPARSE_SOFTMAX_CROSSENTROPY, sparse_softmax_crossentropy, 2, 2, label_loss, YES,            \
      "from logits and labels 0 .. K-1",                                                          \
      WITH("-:- normalize:f clip:r epsilon:r"), INDEX(1), CALLED("sparse_categorical_crossentropy"), \
      UNREAD(INPUT(0) | OUTPUT))                                                                  \
  ROW(LOGCOSH, logcosh, 2, 2, loss, YES, "log(cosh(p - t)), mean or sum over the last axis",      \
      WITH("mean:f"), BY_INPUTS)                                                                  \
  ROW(SQUARED_ERROR, squared_error, 2, 2, loss, YES, "(p - t)^2, mean or sum over the last axis", \
      WITH("mean:f"), BY_INPUTS)                                                                  \
  ROW(ABSOLUTE_ERROR, absolute_error, 2, 2, loss, YES, "|p - t|, likewise", WITH("mean:f"), BY_INPUTS) \
  ROW(HUBER,     huber,     2, 2, loss,      YES, "quadratic within delta, linear beyond",        \
      WITH("mean:f delta:r"), BY_INPUTS)                                                          \
  ROW(KL_DIVERGENCE, kl_divergence, 2, 2, loss, YES, "t log(t / p), both clipped", WITH("mean:f clip:r"), BY_INPUTS) \
  ROW(LSTM,      lstm,      3, 9, recurrent, YES, "long short-term memory; kernels/cells.h", CELL, BY_INPUTS, PATIENT) \
  ROW(GRU,       gru,       3, 9, recurrent, YES, "gated recurrent unit; likewise", CELL, BY_INPUTS, PATIENT) \
  ROW(SIMPLE_RNN, simple_rnn, 3, 9, recurrent, YES, "h' = activation(x W + h R + b); likewise", CELL, BY_INPUTS, \
      PATIENT)                                                                                    \
  ROW(MAX_POOL,  max_pool,  1, 1, pool,      YES, "y = max(x) of each window; the first one has the gradient", POOL) \
  ROW(MAX_POOL_ARGMAX, max_pool_argmax, 1, 1, pool, NO, "y = where max_pool() found it in all of x, 0-based", POOL) \
  ROW(AVERAGE_POOL, average_pool, 1, 1, pool, YES, "y = mean(x) of each window", POOL, BY_SHAPE)  \
  ROW(AVERAGE_UNPOOL, average_unpool, 2, 2, unpool, YES, "the way back: y spread over windows of x", POOL, BY_SHAPE) \
  ROW(TRANSFORM_IMAGE, transform_image, 2, 2, image, YES, "y = x at places that move in the plane: see image.h", \
      WITH(IMAGE), UNREAD(INPUT(0) | OUTPUT))                                                     \
  ROW(TRANSFORM_IMAGE_BACK, transform_image_back, 2, 2, image, YES, "the way back: y added at these places", \
      WITH(IMAGE), UNREAD(INPUT(0) | OUTPUT))                                                     \
  ROW(NORMALIZE, normalize, 1, 5, normalize, YES, "y = (x - mean) / sqrt(variance + epsilon) scale + offset", \
      WITH("leading:n groups:n scale:f offset:f given:f relu:f epsilon:r"), CALLED("standardize"), UNREAD(OUTPUT)) \
  ROW(ATTENTION, attention, 3, 4, attention, YES, "y = dropout(softmax(scale q k')) v: see kernels/attention.h", \
      WITH("causal:f scale:r rate:r"), INDEX(3), RANDOM_BY(1))                                    \
  ROW(CHOLESKY,  cholesky,  1, 1, cholesky,  RULE, "x = y y', y being a lower triangle", FALLIBLE) \
  ROW(TRIANGULAR_SOLVE, triangular_solve, 2, 2, solve, RULE, "a y = b, a being a triangle",       \
      WITH("lower:f adjoint:f"), FALLIBLE)                                                        \
  ROW(SOLVE,     solve,     2, 2, solve,     RULE, "a y = b", WITH("adjoint:f"), FALLIBLE)        \
  ROW(DET,       det,       1, 1, det,       RULE, "the determinant, its sign, the logarithm of its size", FALLIBLE) \
  ROW(QR,        qr,        1, 1, qr,        RULE, "x = q r, r being an upper triangle", WITH("full:f"), FALLIBLE) \
  ROW(EIGH,      eigh,      1, 1, eigh,      RULE, "eigenvalues and vectors of symmetric matrices", FALLIBLE) \
  ROW(SVD,       svd,       1, 1, svd,       RULE, "x = u diag(s) v'", WITH("full:f"), FALLIBLE)  \
  ROW(DROPOUT,   dropout,   1, 1, dropout,   YES, "y = x / (1 - rate), or 0 at random places",    \
      WITH("shared:f* rate:r"), RANDOM, BY_SHAPE)                                                 \
  ROW(GAUSSIAN_NOISE, gaussian_noise, 1, 1, same, YES, "y = x + stddev z, z standard normal",     \
      WITH("stddev:r"), RANDOM, BY_SHAPE)                                                         \
  ROW(RANDOM_UNIFORM, random_uniform, 0, 1, random, NO, "uniform in (a, b); of the shape of an input", \
      WITH("-:- shape:n* minval:r maxval:r"), RANDOM)                                             \
  ROW(RANDOM_NORMAL, random_normal, 0, -1, random, NO, "normal, mean a, standard deviation b",    \
      WITH("-:- shape:n* mean:r stddev:r"), RANDOM)                                               \
  ROW(RANDOM_TRUNCATED_NORMAL, random_truncated_normal, 0, -1, random, NO, "the same within 2 standard deviations", \
      WITH("-:- shape:n* mean:r stddev:r"), RANDOM)

/* also int32, int64 (forward only) */
#define OP_TABLE_NUMBER(ROW)                                                                      \
  ROW(ADD,       add,       2, 2, broadcast, YES, "y = a + b", BY_SHAPE)                          \
  ROW(SUBTRACT,  subtract,  2, 2, broadcast, YES, "y = a - b", BY_SHAPE)                          \
  ROW(MULTIPLY,  multiply,  2, 2, broadcast, YES, "y = a b", BY_INPUTS)                           \
  ROW(MAXIMUM,   maximum,   2, 2, broadcast, YES, "y = max(a, b)", BY_INPUTS)                     \
  ROW(MINIMUM,   minimum,   2, 2, broadcast, YES, "y = min(a, b)", BY_INPUTS)                     \
  ROW(FLOOR_DIVIDE, floor_divide, 2, 2, broadcast, YES, "y = floor(a / b)", BY_SHAPE)             \
  ROW(FLOOR_MOD, floor_mod, 2, 2, broadcast, YES, "y = a - b floor(a / b)", BY_INPUTS)            \
  ROW(LESS,      less,      2, 2, compare,   NO,  "y = a < b")                                    \
  ROW(LESS_EQUAL, less_equal, 2, 2, compare, NO,  "y = a <= b")                                   \
  ROW(NEGATIVE,  negative,  1, 1, same,      YES, "y = -x", BY_SHAPE)                             \
  ROW(ABS,       abs,       1, 1, same,      YES, "y = |x|; derivative 0 at 0", BY_INPUTS)        \
  ROW(SQUARE,    square,    1, 1, same,      YES, "y = x x", BY_INPUTS)                           \
  ROW(SIGN,      sign,      1, 1, same,      YES, "y = -1, 0 or 1; derivative 0", BY_SHAPE)       \
  ROW(CLIP,      clip,      1, 1, same,      YES, "y = min(max(x, low), high)", WITH("low:r high:r"), BY_INPUTS) \
  ROW(MATMUL,    matmul,    2, 2, matmul,    YES, "y = op(a) op(b)", WITH("transpose_x:f transpose_y:f"), \
      BY_INPUTS, PATIENT)                                                                         \
  ROW(SUM,       sum,       1, 1, reduce,    YES, "y = sum(x) over axes", WITH("keepdims:f axis:a*"), BY_SHAPE) \
  ROW(PROD,      prod,      1, 1, reduce,    YES, "y = product of x over axes",                   \
      WITH("keepdims:f axis:a*"), BY_INPUTS)                                                      \
  ROW(SCATTER_ADD, scatter_add, 3, 3, scatter, YES, "y = x, with rows of u added at index along an axis, 0-based", \
      WITH("axis:a"), INDEX(1), UNREAD(INPUT(0) | INPUT(2) | OUTPUT))                             \
  ROW(CUMSUM,    cumsum,    1, 1, along,     YES, "y = sums of x from the start of an axis on",   \
      WITH("axis:a"), BY_SHAPE)                                                                   \
  ROW(CUMPROD,   cumprod,   1, 1, along,     YES, "y = products of x from the start of an axis on", WITH("axis:a")) \
  ROW(ARGSORT,   argsort,   1, 1, order,     NO,  "y = 0-based positions along an axis, in the order of x", \
      WITH("axis:a decreasing:f"))                                                                \
  ROW(MAX,       max,       1, 1, reduce,    YES, "y = max(x) over axes; ties share the gradient", \
      WITH("keepdims:f axis:a*"))                                                                 \
  ROW(MIN,       min,       1, 1, reduce,    YES, "y = min(x) over axes; ties share the gradient", \
      WITH("keepdims:f axis:a*"))                                                                 \
  ROW(ARGMAX,    argmax,    1, 1, position,  NO,  "y = first 0-based position of the maximum", WITH("axis:a")) \
  ROW(ARGMIN,    argmin,    1, 1, position,  NO,  "y = first 0-based position of the minimum", WITH("axis:a"))

/* also bool (forward only) */
#define OP_TABLE_ANY(ROW)                                                                         \
  ROW(EQUAL,     equal,     2, 2, compare,   NO,  "y = a == b")                                   \
  ROW(NOT_EQUAL, not_equal, 2, 2, compare,   NO,  "y = a != b")                                   \
  ROW(SHAPE,     shape,     1, 1, shape,     NO,  "y = the sizes of x's axes")                    \
  ROW(RESHAPE,   reshape,   1, 1, reshape,   YES, "same numbers, row-major, other shape", WITH("shape:n*"), BY_SHAPE) \
  ROW(TRANSPOSE, transpose, 1, 1, transpose, YES, "axes permuted", WITH("perm:a*"), BY_SHAPE)     \
  ROW(SLICE,     slice,     1, 1, slice,     YES, "start, size, step per axis", WITH("part:s*"), BY_SHAPE) \
  ROW(CONCAT,    concat,    1, 0, concat,    YES, "joined along an axis", WITH("axis:a"), BY_SHAPE) \
  ROW(STACK,     stack,     1, 0, stack,     YES, "joined along a new axis", WITH("axis:a"), BY_SHAPE) \
  ROW(GATHER,    gather,    2, 2, gather,    YES, "y = x[index] along an axis, index 0-based",    \
      WITH("axis:a"), INDEX(1), UNREAD(INPUT(0) | OUTPUT))                                        \
  ROW(STOP_GRADIENT, stop_gradient, 1, 1, same, NO, "y = x, as a constant")                       \
  ROW(CUSTOM,    custom,    2, 0, same,      RULE, "y = the second input; only R knows its derivative", \
      INDEX(0), KEY(1))                                                                           \
  ROW(CAST,      cast,      1, 1, cast,      YES, "other dtype; to integer: towards zero", BY_SHAPE)         \
  ROW(WHERE,     where,     3, 3, where,     YES, "y = a where condition else b", INDEX(0), KEY(1), \
      UNREAD(INPUT(1) | INPUT(2) | OUTPUT))

/* bool only */
#define OP_TABLE_BOOL(ROW)                                                                        \
  ROW(LOGICAL_AND, logical_and, 2, 2, compare,   NO,  "y = a and b")                              \
  ROW(LOGICAL_OR, logical_or, 2, 2, compare,   NO,  "y = a or b")                                 \
  ROW(LOGICAL_NOT, logical_not, 1, 1, same,      NO,  "y = not x")                                \
  ROW(ANY,       any,       1, 1, reduce,    NO,  "y = is any of x true? over axes", WITH("keepdims:f axis:a*")) \
  ROW(ALL,       all,       1, 1, reduce,    NO,  "y = are all of x true? over axes", WITH("keepdims:f axis:a*"))

#define OP_TABLE(ROW) OP_TABLE_FLOAT(ROW) OP_TABLE_NUMBER(ROW) OP_TABLE_ANY(ROW) OP_TABLE_BOOL(ROW)

#define OP_ENUM(ENUM, ...) OP_##ENUM,
enum op { OP_TABLE(OP_ENUM) OP_COUNT };
#undef OP_ENUM

/* The derivative of an op is a node, too. Its inputs are those of the op, what the op computed, and the gradients of
 * that (NO_SLOT: 0); its outputs are the gradients of the op's inputs. It takes about twice as long as the op. */
enum { DERIVATIVE = 1024, DERIVATIVE_WORK = 2 };
static inline int is_derivative(int op) { return op >= DERIVATIVE; }
static inline int plain_op(int op) { return op & (DERIVATIVE - 1); }

/* What a node may do beside applying an op: see run.c. A gradient stands for the nodes that program_seal() puts in its
 * place. */
enum action { ACTION_GRADIENT = OP_COUNT, ACTION_FILL, ACTION_UPDATE, ACTION_ASSIGN, ACTION_GUARD, ACTION_REDUCE,
  ACTION_END };

/* What a sum over the shards of a batch does with its inputs: a mean by the weights of the losses, or their sum; a mean
 * over the rows; what the variable held before and the sum of the changes (inputs: the values, then the variables). */
enum reduction { REDUCE_MEAN, REDUCE_ROWS, REDUCE_CHANGES, REDUCE_SUM };

static inline int is_op(int op) { return op < OP_COUNT; }
static inline int is_change(int op) { return op == ACTION_UPDATE || op == ACTION_ASSIGN; }

/* The name of an op or action, and of what a node does, into text. */
const char *op_name(int op);
const char *node_name(int op, char *text, size_t size);

/* A question to a shape rule: given these inputs, what comes out? */
#define MAX_OUTPUTS 4
struct inference {
  int op, inputs;
  const struct operand *in; /* the inputs, among the slots */
  const struct slot *slots;
  int other;                /* at the other number of rows? */
  const struct attr *attr;
  int outputs;              /* answers */
  struct shape out[MAX_OUTPUTS];
  int32_t out_dtype[MAX_OUTPUTS];
  /* elements, of the key input's dtype: kept for the derivative; needed while the op runs, and its derivative */
  int64_t saved, workspace, derivative_workspace;
  double work; /* floating point operations, for the choice of threads */
  struct failure *failure;
};

static inline const struct shape *shape_in(const struct inference *q, int k) {
  const struct slot *s = &q->slots[q->in[k].slot];
  return q->other ? &s->other : &s->shape;
}
static inline int dtype_in(const struct inference *q, int k) { return q->slots[q->in[k].slot].dtype; }

enum { BY_RULE = 2 };
typedef enum status rule(struct inference *q);
#define OUTPUT_BIT (1u << 31)
#define ALL_BITS (~0u)
struct op_info {
  const char *name;
  int fewest, most; /* most = 0: any number, -1: none */
  int differentiable; /* BY_RULE: yes, but only R knows how */
  int part; /* 0 float, 1 number, 2 any, 3 bool: which number types the op accepts */
  const char *formula;
  rule *rule;
  const char *attributes; /* their names and kinds: see op_attributes() */
  const char *user;       /* the name under which users know it, if that is another */
  unsigned unread;        /* bit k: the derivative does not read the numbers of input k, OUTPUT_BIT: of the output */
  int key;                /* which input's number type selects the kernel */
  unsigned index;         /* bit k: input k is an index, a label or a condition */
  int (*index_by)(const struct attr *attr, int k); /* the same, where it depends on attributes */
  int fallible; /* it refuses some numbers */
  int patient; /* its kernels ask by themselves whether they may rest, so their work is not cut any further */
  int random;  /* it draws random numbers: its node needs a seed; 2 + k: unless its real attribute k is 0 */
  int fusable; /* dense() can apply it in place: its derivative follows from its value */
};
extern const struct op_info op_info[OP_COUNT];

/* Does the derivative of an op with so many inputs read the numbers of operand k, one of these and then of the outputs?
 * Else it needs the shape alone. */
static inline int derivative_reads(int op, int inputs, int k) {
  unsigned unread = op_info[op].unread;
  return k >= inputs ? !(unread & OUTPUT_BIT) : k < 31 ? !(unread >> k & 1) : unread != ALL_BITS;
}

/* Check the number of inputs and their types, then ask the op's shape rule. */
enum status op_infer(struct inference *q);

/* Does it draw random numbers? */
int op_is_random(int op, const struct attr *attr);

/* Is input k an index, a label or a condition, whose type says nothing about the other inputs'? */
int op_is_index(int op, int k, const struct attr *attr);

/* Does it make number i of its result from number i of its inputs (or from scalars) alone? */
int op_is_elementwise(int op);

/* Attributes as people write them, "axis = 1, keepdims = TRUE"; flags that are off go without saying. */
void op_attributes(int op, const struct attr *attr, char *text, size_t size);

#endif
