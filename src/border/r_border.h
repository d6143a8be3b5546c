/* r_border.h - what the r_*.c files share: how tensors, programs and errors look from R.
 *
 * Only the files of this folder and init.c include R's headers. R owns all memory: a tensor is an external pointer
 * whose protected slot is a raw vector (header, then numbers); a program is one whose protected slot
 * is a list of raw vectors. No address outlives a call, so saved and reloaded objects just work.
 */
#ifndef R_BORDER_H
#define R_BORDER_H

#define R_NO_REMAP
#ifndef STRICT_R_HEADERS
#define STRICT_R_HEADERS
#endif
#include <R.h>
#include <Rinternals.h>
#include <R_ext/Rdynload.h>

#include "run/run.h"
#include "base/transpose.h"

/* Once, when the package loads: let long runs ask whether the user interrupts. */
void border_open(void);

/* ---- errors ---- */

/* By member 0 of a team: evaluate what may jump away, as by an error or an interrupt. 0: it would have, and raise() of
 * STATUS_INTERRUPTED does so once the team has left. */
int runs_through(SEXP (*code)(void *), void *data);

/* Raise an R condition of the status' class, or go on with a jump that was kept; does not return. */
void raise(const struct failure *failure);
void raise_text(enum status status, const char *format, ...);

/* ---- arguments ---- */

int as_int(SEXP x);
double as_number(SEXP x);

/* A dtype code; -1 only where `or_none`. */
int as_dtype(SEXP x, int or_none);

/* Raises an error unless x is a vector of this type and length (-1: any). */
void check_vector(SEXP x, SEXPTYPE type, R_xlen_t length);

/* The name of a file, as system.h wants it. */
const char *path_of(SEXP path);

/* An R list or NULL, as VECSXP length. */
R_xlen_t list_length(SEXP x);

/* ---- memory ---- */

/* A vector of n elements from R, or a condition of class nativenet_error_memory that says what it was for. All that may
 * be large is asked for here. `what` is a noun; the shape, that of the whole, may be NULL. */
SEXP vector_for(SEXPTYPE type, int64_t n, const char *what, const struct shape *shape);

/* ---- tensors ---- */

struct tensor {
  int32_t dtype;
  struct shape shape;
  void *data;
};

/* A new tensor object with uninitialized numbers. */
SEXP tensor_new(int dtype, const struct shape *shape, struct tensor *t);

int is_tensor(SEXP x);
int is_symbolic(SEXP x);  /* a tensor without numbers, a slot of a program being traced */
int is_variable(SEXP x);
int is_trainable(SEXP x); /* a variable that tapes watch by themselves */

/* The numbers of an eager tensor. */
struct tensor as_tensor(SEXP x);
SEXP tensor_block(SEXP x);
int block_version(SEXP block);

/* Tapes hold the blocks that they may read again; who changes a variable in place first lets it have a block
 * that none holds, with the old numbers if they are wanted, and the time of the change, in a count of all. */
void block_hold(SEXP block, int by);
void variable_own_block(SEXP variable, int keep_numbers, double time);
double time_of_change(void);
double variable_time(SEXP variable);

/* Any R array or tensor as an eager tensor object. dtype -1: by the R type. */
SEXP coerce_tensor(SEXP x, int dtype);

/* ---- conversion (r_convert.c) ---- */

int r_dtype(SEXP x); /* bare doubles, integers, logicals, an integer64: our dtype, or -1 */
int is_integer64(SEXP x);
int r_plain_dtype(void); /* of doubles without dimensions */
SEXP bare_numbers(SEXP x); /* a tensor or numbers as they are; else as R/numbers.R has it, or its error */
void r_shape(SEXP x, struct shape *shape);
struct array array_of_r(SEXP x); /* bare numbers or an integer64; x owns them */
void check_fits(SEXP x, int dtype); /* an error if the dtype does not hold them all */
void numbers_from_r(SEXP x, int dtype, void *to);
void bytes_from_r(SEXP x, unsigned char *to); /* integers 0 .. 255 or raw */
SEXP numbers_to_r(const struct tensor *t);
SEXP array_for_r(SEXPTYPE type, const struct shape *shape); /* an array to be filled */

/* ---- programs ---- */

enum shelter { SHELTER_PROGRAM, SHELTER_SLOTS, SHELTER_NODES, SHELTER_OPERANDS, SHELTER_VALUES,
               SHELTER_BLOCKS, SHELTER_OBJECTS, SHELTER_INDEX, SHELTER_SIZE };

struct program *as_program(SEXP x);
SEXP program_shelter(SEXP x);

/* Make room for more; addresses inside the program move. */
struct program *program_reserve(SEXP x, int slots, int nodes, int operands);

/* Element `slot` of one of the shelter's lists. */
void program_keep(SEXP x, enum shelter which, int32_t slot, SEXP value);

/* A slot bound to a bare block of numbers (what an op saves). */
int32_t program_bind_block(SEXP x, SEXP block, int dtype, const struct shape *shape);

/* ---- which slot stands for a tensor? (r_slots.c) ---- */

/* A slot bound to an eager tensor's present numbers; the program keeps the tensor alive. */
int32_t program_bind(SEXP x, SEXP tensor, int watched);

/* Visit the slots bound to a tensor: *at starts as -1; returns -1 when there are no more. */
int32_t program_next_slot(SEXP x, SEXP tensor, int64_t *at);

/* The slot of a traced function's program that stands for a tensor, made if there is none: a symbolic one's, a
 * variable's (SLOT_SHARED) or a constant's. */
int32_t program_slot(SEXP x, SEXP tensor);

/* From here on, a variable holds in the traced function what is in the slot. */
void program_hold(SEXP program, SEXP variable, int32_t slot);

/* A SLOT_SHARED for a tensor whose numbers change in place: variables, what optimizers remember. */
int32_t program_shared_slot(SEXP x, SEXP tensor);

/* ---- shapes that follow the batch (r_sizes.c) ---- */

/* The sizes as R sees them while a function is traced; `other` are those at another number of rows. Both must be
 * protected. */
SEXP sizes_new(SEXP program, SEXP sizes, SEXP other);

/* Once, when the package loads: the class of such vectors. */
void sizes_register(DllInfo *dll);
void lapack_open(void);

/* ---- programs: memory and runs ---- */

/* Plan, allocate the arena and set all addresses. */
struct program *program_allocate(SEXP x);

/* Set all addresses anew; the arena exists. */
struct program *program_locate(SEXP x);

/* The same for a program p that is x and more behind it: a plan of the nodes from `first` on, with `values` or larger
 * memory; all addresses. */
SEXP program_lay_out(struct program *p, int32_t first, SEXP values);
void program_place_in(SEXP x, struct program *p, SEXP values);

/* Before a traced program runs: memory for it, blocks of their own for the variables that it changes, all addresses. */
struct program *program_ready(SEXP x);

/* The same for batches of so many rows, and less. */
struct program *program_ready_for(SEXP x, int64_t rows);

/* The symbolic tensor of a slot, and back. */
SEXP symbolic_new(SEXP program, int32_t slot);
SEXP symbolic_program(SEXP tensor);
int32_t symbolic_slot(SEXP tensor);
int32_t slot_in(SEXP program, SEXP tensor); /* checks that it belongs there */

/* A seed for the engine's own generator, from R's, by two draws. */
uint64_t seed_from_r(void);

/* An iterator, with the addresses of its memory set; they hold until R code runs. */
struct stream;
struct stream *stream_located(SEXP x);

/* The value of a call of one of the package's R functions. */
SEXP call_ours(SEXP call);

/* A new external pointer, with the class of its kind. */
enum handle { HANDLE_TENSOR, HANDLE_VARIABLE, HANDLE_PROGRAM, HANDLE_OPTIMIZER, HANDLE_STREAM, HANDLE_COUNT };
SEXP handle_new(SEXP protected_, enum handle kind);

/* ---- tapes (r_tape.c) ---- */

/* Note an op that just ran as the node `ran`, with a list of outputs and what it saved (or NULL): on the tape if any
 * input is watched by it. */
void tape_record(SEXP tape, const struct node *ran, SEXP inputs, SEXP outputs, SEXP saved);

#endif
