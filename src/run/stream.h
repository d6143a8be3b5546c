/* stream.h - the elements of a data set, one after the other, through stages: slices of arrays, a program for each
 * element, shuffles, repetitions. A stage pulls from the stages it stands on.
 *
 * An element has up to MAX_COMPONENTS tensors. Stages pass them on by address: numbers are valid until the next
 * element is pulled. Where a stage knows how many elements it has and can give any of them (count >= 0), those on
 * top of it need no copies: a shuffle of a million rows holds a million positions.
 */
#ifndef STREAM_H
#define STREAM_H

#include "base/random.h"
#include "run/run.h"

#define MAX_COMPONENTS 64 /* most_tensors in R/dataset.R */
#define MAX_STAGE_INPUTS 8

#define STAGES(ROW)                                                                       \
  ROW(SLICES, slices)   /* rows of arrays, one array per component */                     \
  ROW(RANGE, range)     /* a + b i, int64 */                                              \
  ROW(FEED, feed)       /* rows of blocks of arrays, each of which is asked for in turn */ \
  ROW(MAP, map)         /* a program of each element */                                   \
  ROW(FILTER, filter)   /* elements for which a program gives TRUE */                     \
  ROW(SHUFFLE, shuffle) /* a: size of the buffer from which the next element is drawn;    \
                           b: elements of the blocks that come in any order, 0: none */   \
  ROW(REPEAT, repeat)   /* a: how often, -1: for ever */                                  \
  ROW(TAKE, take)       /* a: how many */                                                 \
  ROW(SKIP, skip)       /* a: how many */                                                 \
  ROW(SHARD, shard)     /* every a-th, from the b-th on */                                \
  ROW(ZIP, zip)         /* the components of all inputs side by side */                   \
  ROW(CONCATENATE, concatenate) /* one input after the other */
#define STAGE_ENUM(ENUM, name) STAGE_##ENUM,
enum stage_kind { STAGES(STAGE_ENUM) STAGE_KIND_COUNT };
#undef STAGE_ENUM

struct component {
  int32_t dtype;
  int32_t packed; /* STAGE_SLICES: small whole numbers kept as bytes, spread to int32 on the way out */
  int32_t mapped; /* STAGE_SLICES: they lie in a file */
  struct shape shape; /* of an element */
  const unsigned char *value;
};

struct stage {
  int32_t kind, inputs, components;
  int32_t input[MAX_STAGE_INPUTS]; /* stages below */
  struct component component[MAX_COMPONENTS];
  int64_t a, b;
  int64_t most;     /* so many elements are the most it can have; -1: no end */
  int64_t count;    /* elements, if it can give any of them; else -1 */
  int64_t position; /* elements given since the start; STAGE_SHUFFLE: taken from below */
  int64_t passes;   /* STAGE_REPEAT: finished; STAGE_CONCATENATE: the input at work */
  int64_t filled, emitted; /* STAGE_SHUFFLE: places in use, and the one to be filled again (-1: none) */
  int64_t from, until;     /* STAGE_SHUFFLE, STAGE_FEED: what is left of the block at work; `passes` have begun */
  int64_t ahead;           /* so many elements are read ahead, as their numbers lie in files; else 0 */
  int64_t touched, last;   /* STAGE_SLICES: bytes of files since pages were given back; the last element */
  int32_t reshuffle;       /* another order in each pass? */
  uint64_t seed;
  struct random random;
  int32_t in[MAX_COMPONENTS], out[MAX_COMPONENTS]; /* slots of the program */
  /* addresses, set anew for each native call */
  const unsigned char *data[MAX_COMPONENTS]; /* STAGE_SLICES, STAGE_FEED */
  unsigned char *buffer; /* STAGE_SLICES, STAGE_FEED, STAGE_RANGE: an element; STAGE_SHUFFLE: positions, or elements
                            and then the order of the blocks */
  struct program *program;
};

struct stream {
  int32_t stages; /* the last one is the top */
  enum status failed;
  uint64_t seed; /* of the programs' random numbers, if they draw any */
  uint64_t runs; /* of programs so far */
  struct team *team;
  /* Have the next block of stage k, the first if `passes` is 0, in its data, `from` 0 and `until` its rows. 0: there is
   * none, or it failed. It must not jump away. */
  int (*feed)(struct stream *s, int k);
  void *user;
  struct stage stage[];
};

/* Fill in what follows from the stage's inputs: components (but of slices, ranges and maps), most and count. Returns
 * the bytes that its buffer needs, -1 if the inputs do not fit each other. */
int64_t stage_settle(struct stream *s, int k);

/* Start from the first element. */
void stream_restart(struct stream *s, int k);

/* The next element of stage k stands in its components; 0: there is none. */
int stream_next(struct stream *s, int k);

/* Up to n elements of the top stage, copied one after the other to `to`, one address per component; gives how
 * many there were. */
int64_t stream_fill(struct stream *s, int64_t n, unsigned char *const *to);

#endif
