/* r_op.c - the one door for all ops: run one now, or append it to the program being traced. */
#include "border/r_border.h"
#include "ops/image.h"
#include "ops/recurrent.h"
#include "run/shards.h"
#include "run/stream.h"

#include <float.h>
#include <math.h>
#include <string.h>

static int dtype_of(SEXP x) {
  if (is_symbolic(x)) return as_program(symbolic_program(x))->slots[symbolic_slot(x)].dtype;
  return as_tensor(x).dtype;
}

/* Plain R numbers take the dtype of the tensors they meet; alone, that of the first kind that is among them:
 * arrays of doubles, doubles without dimensions, which are also what ops on floats make of whole numbers, integer64,
 * integers. */
static int target_dtype(int op, SEXP inputs, const struct attr *attr) {
  int seen[DTYPE_COUNT] = {0};
  for (int k = 0; k < (int)XLENGTH(inputs); k++) {
    SEXP x = VECTOR_ELT(inputs, k);
    if (op_is_index(op, k, attr)) continue;
    if (is_tensor(x)) return dtype_of(x);
    int dtype = r_dtype(x);
    if (dtype >= 0) seen[dtype] = 1;
  }
  if (seen[FLOAT64]) return FLOAT64;
  if (seen[FLOAT32] || op_info[op].part == 0) return r_plain_dtype();
  if (seen[INT64]) return INT64;
  /* logicals are numbers where an op needs numbers, as in R */
  return op_info[op].part == 1 ? INT32 : -1;
}

static void attributes(SEXP ints, SEXP reals, struct attr *attr) {
  memset(attr, 0, sizeof *attr);
  if (Rf_isNull(ints) && Rf_isNull(reals)) return;
  ints = PROTECT(Rf_coerceVector(ints, REALSXP));
  reals = PROTECT(Rf_coerceVector(reals, REALSXP));
  attr->n_ints = (int32_t)XLENGTH(ints);
  if (attr->n_ints > MAX_INTS || XLENGTH(reals) > MAX_REALS)
    raise_text(STATUS_VALUE, "internal error: too many attributes");
  for (int i = 0; i < attr->n_ints; i++) {
    double v = REAL(ints)[i];
    if (!(v >= -2147483648.0 && v <= 2147483648.0))
      raise_text(STATUS_VALUE, "%g is beyond what sizes and positions can be", v);
    attr->ints[i] = (int64_t)v;
  }
  for (int i = 0; i < (int)XLENGTH(reals); i++) attr->reals[i] = REAL(reals)[i];
  UNPROTECT(2);
}

/* A parameter that the op's floats cannot hold would be Inf there without a word. The ends of clip() may be as far as
 * they like. */
static void check_parameters(int op, const struct attr *attr, int dtype) {
  if (op_info[op].fewest == 0) dtype = (int)attr->ints[0];
  if (dtype != FLOAT32 || op == OP_CLIP) return;
  for (int i = 0; i < MAX_REALS; i++)
    if (fabs(attr->reals[i]) > FLT_MAX && isfinite(attr->reals[i]))
      raise_text(STATUS_VALUE, "a number must be one that float32 can hold, not %g", attr->reals[i]);
}

/* R's strings are unique, so names are compared by address. */
static int op_named(SEXP name) {
  static SEXP known[OP_COUNT];
  check_vector(name, STRSXP, 1);
  for (int i = 0; i < OP_COUNT; i++) {
    if (!known[i]) {
      known[i] = Rf_mkChar(op_info[i].name);
      R_PreserveObject(known[i]);
    }
    if (known[i] == STRING_ELT(name, 0)) return i;
  }
  raise_text(STATUS_VALUE, "internal error: no op %s", CHAR(STRING_ELT(name, 0)));
  return -1;
}

/* The result of an op: a tensor, or a list of several. */
static SEXP one_or_all(SEXP outputs) { return XLENGTH(outputs) == 1 ? VECTOR_ELT(outputs, 0) : outputs; }

/* Append to the program that the symbolic inputs belong to. */
static SEXP trace(SEXP program, int op, SEXP inputs, const struct attr *attr) {
  int n = (int)XLENGTH(inputs);
  struct operand *in = (struct operand *)R_alloc((size_t)n + 1, sizeof *in);
  for (int k = 0; k < n; k++) {
    SEXP x = VECTOR_ELT(inputs, k);
    if (is_symbolic(x) && symbolic_program(x) != program)
      raise_text(STATUS_VALUE, "`op_%s()`: the inputs belong to different traced functions", op_info[op].name);
    in[k] = (struct operand){program_slot(program, x), 0};
  }
  struct program *p = program_reserve(program, MAX_NEW_SLOTS, 1, n + MAX_OUTPUTS);
  struct failure failure;
  struct inference q = {.failure = &failure};
  if (program_infer(p, op, in, n, attr, &q)) raise(&failure);
  struct node *node = program_add_op(p, &q, SLOT_COMPUTED);
  program_follow_rows(p, node);
  int32_t first = node->first + n;
  SEXP outputs = PROTECT(Rf_allocVector(VECSXP, q.outputs));
  for (int k = 0; k < q.outputs; k++)
    SET_VECTOR_ELT(outputs, k, symbolic_new(program, as_program(program)->operands[first + k].slot));
  UNPROTECT(1);
  return one_or_all(outputs);
}

/* A bare vector for the numbers of a slot, if there is one; else NULL. */
static SEXP block_for(struct slot *slots, int32_t slot, const char *what, const struct shape *of) {
  if (slot == NO_SLOT) return R_NilValue;
  struct slot *s = &slots[slot];
  SEXP block = vector_for(RAWSXP, shape_count(&s->shape) * (int64_t)dtype_size[s->dtype], what, of);
  s->value = RAW(block);
  return block;
}

/* Run now: a program of one node over the tensors' own memory. It draws as the node `like` did, unless that is NULL. */
static SEXP run_now(int op, SEXP inputs, const struct attr *attr, SEXP tapes, const struct node *like) {
  int n = (int)XLENGTH(inputs);
  struct slot *slots = (struct slot *)R_alloc((size_t)n + MAX_NEW_SLOTS, sizeof *slots);
  struct operand *in = (struct operand *)R_alloc((size_t)n + 1, sizeof *in),
    *operands = (struct operand *)R_alloc((size_t)n + MAX_OUTPUTS, sizeof *operands);
  struct node nodes[1];
  struct program p = {.slots = slots, .nodes = nodes, .operands = operands};
  for (int k = 0; k < n; k++) {
    struct tensor t = as_tensor(VECTOR_ELT(inputs, k));
    in[k] = (struct operand){program_add_slot(&p, SLOT_BOUND, t.dtype, &t.shape), 0};
    slots[k].value = t.data;
  }
  struct failure failure;
  struct inference q = {.failure = &failure};
  if (program_infer(&p, op, in, n, attr, &q)) raise(&failure);
  struct node *node = program_add_op(&p, &q, SLOT_BOUND);
  SEXP outputs = PROTECT(Rf_allocVector(VECSXP, q.outputs));
  for (int k = 0; k < q.outputs; k++) {
    struct tensor t;
    SET_VECTOR_ELT(outputs, k, tensor_new(q.out_dtype[k], &q.out[k], &t));
    slots[operands[n + k].slot].value = t.data;
  }
  SEXP saved = PROTECT(block_for(slots, node->saved, "what the gradient will need for a result", q.out));
  PROTECT(block_for(slots, node->workspace, "what an op needs beside its result", q.out));
  if (op_is_random(op, attr)) node->seed = like ? like->seed : seed_from_r();
  if (run_program(&p, 0, team_choice_shared(), &failure)) raise(&failure);
  for (R_xlen_t k = 0; k < list_length(tapes); k++) tape_record(VECTOR_ELT(tapes, k), node, inputs, outputs, saved);
  UNPROTECT(3);
  return one_or_all(outputs);
}

static int computes(const struct program *p, const struct node *n, int32_t slot) {
  int found = 0;
  for (int k = 0; k < n->outputs; k++) found = found || node_outputs(p, n)[k].slot == slot;
  return found;
}

/* What a symbolic tensor of the program holds if it follows from shapes and constants alone, as tf$shape(x)[1] does;
 * else NULL. Who looks at such a number makes the program one for these shapes. */
static SEXP value_from_shapes(SEXP program, int32_t slot) {
  struct program *p = as_program(program);
  if (p->slots[slot].kind == SLOT_BOUND) return VECTOR_ELT(VECTOR_ELT(program_shelter(program), SHELTER_OBJECTS), slot);
  int32_t i = 0;
  while (i < p->nodes_used && !computes(p, &p->nodes[i], slot)) i++;
  const struct node *n = &p->nodes[i];
  if (i == p->nodes_used || !is_op(n->op) || op_is_random(n->op, &n->attr)) return R_NilValue;
  if (n->op == OP_SHAPE) {
    const struct slot *x = &p->slots[p->operands[n->first].slot];
    struct tensor t;
    SEXP sizes = tensor_new(INT32, &(struct shape){.rank = 1, .dim = {x->shape.rank}}, &t);
    for (int axis = 0; axis < x->shape.rank; axis++) ((int32_t *)t.data)[axis] = (int32_t)x->shape.dim[axis];
    if (!shape_equal(&x->shape, &x->other)) p->rows_seen = 1;
    return sizes;
  }
  SEXP inputs = PROTECT(Rf_allocVector(VECSXP, n->inputs)), value = R_NilValue;
  int known = 1;
  for (int k = 0; known && k < n->inputs; k++) {
    SET_VECTOR_ELT(inputs, k, value_from_shapes(program, p->operands[n->first + k].slot));
    known = !Rf_isNull(VECTOR_ELT(inputs, k));
  }
  if (known && n->outputs == 1) value = run_now(n->op, inputs, &n->attr, R_NilValue, NULL);
  UNPROTECT(1);
  return value;
}

SEXP ffi_value_from_shapes(SEXP x);
SEXP ffi_value_from_shapes(SEXP x) {
  return is_symbolic(x) ? value_from_shapes(symbolic_program(x), symbolic_slot(x)) : R_NilValue;
}

/* While a function is traced (`tracing` is its program), ops on what may be other numbers at another time are part
 * of it: on symbolic tensors, variables, random numbers. */
SEXP ffi_apply(SEXP name, SEXP inputs, SEXP ints, SEXP reals, SEXP recording);
SEXP ffi_apply(SEXP name, SEXP inputs, SEXP ints, SEXP reals, SEXP recording) {
  check_vector(recording, VECSXP, 2);
  int op = op_named(name);
  if (TYPEOF(inputs) != VECSXP || !(Rf_isNull(ints) || Rf_isNumeric(ints) || Rf_isLogical(ints)) ||
    !(Rf_isNull(reals) || Rf_isNumeric(reals)))
    raise_text(STATUS_VALUE, "internal error: apply_op() was given other types");
  SEXP tapes = VECTOR_ELT(recording, 0), tracing = VECTOR_ELT(recording, 1);
  struct attr attr;
  attributes(ints, reals, &attr);
  int dtype = target_dtype(op, inputs, &attr);
  check_parameters(op, &attr, dtype);
  SEXP program = !Rf_isNull(tracing) && op_is_random(op, &attr) ? tracing : R_NilValue;
  SEXP converted = PROTECT(Rf_allocVector(VECSXP, XLENGTH(inputs)));
  for (R_xlen_t k = 0; k < XLENGTH(inputs); k++) {
    SEXP x = coerce_tensor(VECTOR_ELT(inputs, k), dtype);
    SET_VECTOR_ELT(converted, k, x);
    if (is_symbolic(x)) program = symbolic_program(x);
    else if (!Rf_isNull(tracing) && Rf_isNull(program) && is_variable(x)) program = tracing;
  }
  SEXP result = Rf_isNull(program) ? run_now(op, converted, &attr, tapes, NULL) : trace(program, op, converted, &attr);
  UNPROTECT(1);
  return result;
}

/* Node `at` of a tape or of the function that is being traced once more, on other inputs: with its attributes and the
 * same random draws. */
SEXP ffi_apply_again(SEXP program, SEXP at, SEXP inputs, SEXP recording);
SEXP ffi_apply_again(SEXP program, SEXP at, SEXP inputs, SEXP recording) {
  check_vector(recording, VECSXP, 2);
  int32_t i = as_int(at);
  SEXP tracing = VECTOR_ELT(recording, 1);
  struct node like = as_program(program)->nodes[i];
  if (tracing != program) return run_now(like.op, inputs, &like.attr, VECTOR_ELT(recording, 0), &like);
  SEXP result = PROTECT(trace(program, like.op, inputs, &like.attr));
  struct program *p = as_program(program);
  p->nodes[p->nodes_used - 1].seed = like.seed;
  p->nodes[p->nodes_used - 1].draws_as = like.draws_as >= 0 ? like.draws_as : i;
  UNPROTECT(1);
  return result;
}

/* Who keeps the ops that run: `recording` is list(tapes, program of the function that is being traced). It changes
 * in place, so that no op has to look it up. */
SEXP ffi_recording(SEXP recording, SEXP tapes, SEXP tracing);
SEXP ffi_recording(SEXP recording, SEXP tapes, SEXP tracing) {
  check_vector(recording, VECSXP, 2);
  list_length(tapes);
  if (!Rf_isNull(tracing)) program_shelter(tracing);
  SET_VECTOR_ELT(recording, 0, tapes);
  SET_VECTOR_ELT(recording, 1, tracing);
  return R_NilValue;
}

/* Tensors of the same numbers as `xs`: those of `into`, where it has them of the same dtypes and shapes, else new ones.
 * Fresh memory costs many times what a copy costs. */
SEXP ffi_copies(SEXP xs, SEXP into);
SEXP ffi_copies(SEXP xs, SEXP into) {
  int n = list_length(xs), reuse = !Rf_isNull(into) && list_length(into) == n;
  SEXP copies = PROTECT(Rf_allocVector(VECSXP, n));
  for (int k = 0; k < n; k++) {
    struct tensor from = as_tensor(VECTOR_ELT(xs, k)), to = {0};
    SEXP copy = reuse ? VECTOR_ELT(into, k) : R_NilValue;
    if (reuse) to = as_tensor(copy);
    if (!reuse || to.dtype != from.dtype || !shape_equal(&to.shape, &from.shape))
      copy = tensor_new(from.dtype, &from.shape, &to);
    SET_VECTOR_ELT(copies, k, copy);
    memcpy(to.data, from.data, (size_t)shape_count(&from.shape) * dtype_size[from.dtype]);
  }
  UNPROTECT(1);
  return copies;
}

/* The table, for R: names, inputs, meaning, whether it is differentiable and part of what dense() applies. */
SEXP ffi_op_table(void);
SEXP ffi_op_table(void) {
  SEXP table = PROTECT(Rf_allocVector(VECSXP, 6)), column[6];
  static const SEXPTYPE type[] = {STRSXP, INTSXP, INTSXP, LGLSXP, STRSXP, LGLSXP};
  for (int k = 0; k < 6; k++) SET_VECTOR_ELT(table, k, column[k] = Rf_allocVector(type[k], OP_COUNT));
  for (int i = 0; i < OP_COUNT; i++) {
    const struct op_info *op = &op_info[i];
    SET_STRING_ELT(column[0], i, Rf_mkChar(op->name));
    INTEGER(column[1])[i] = op->fewest;
    INTEGER(column[2])[i] = op->most;
    LOGICAL(column[3])[i] = op->differentiable != 0;
    SET_STRING_ELT(column[4], i, Rf_mkChar(op->formula));
    LOGICAL(column[5])[i] = op->fusable;
  }
  UNPROTECT(1);
  return table;
}

static SEXP names_of(const char *const *name, int n) {
  SEXP names = Rf_allocVector(STRSXP, n);
  PROTECT(names);
  for (int i = 0; i < n; i++) SET_STRING_ELT(names, i, Rf_mkChar(name[i]));
  UNPROTECT(1);
  return names;
}

/* The names of other enums whose numbers R gives to C, each in the order of its numbers. */
SEXP ffi_enums(void);
SEXP ffi_enums(void) {
#define NAME(ENUM, name) #name,
  static const char *const update[] = {UPDATES(NAME)}, *const stage[] = {STAGES(NAME)},
    *const weigh[] = {WEIGHS(NAME)};
#undef NAME
  SEXP enums = PROTECT(Rf_allocVector(VECSXP, 6));
  SET_VECTOR_ELT(enums, 0, names_of(update, UPDATE_COUNT));
  SET_VECTOR_ELT(enums, 1, names_of(stage, STAGE_KIND_COUNT));
  SET_VECTOR_ELT(enums, 2, names_of(cell_activation_name, CELL_ACTIVATION_COUNT));
  SET_VECTOR_ELT(enums, 3, names_of(cell_output_name, OUTPUT_COUNT));
  SET_VECTOR_ELT(enums, 4, names_of(fill_mode_name, FILL_MODE_COUNT));
  SET_VECTOR_ELT(enums, 5, names_of(weigh, WEIGH_COUNT));
  UNPROTECT(1);
  return enums;
}
