/* dataset.h - rows of several arrays (inputs, targets, weights), visited in an order, in batches.
 * A batch is gathered straight into a program's input slots, from numbers in our order or from R's own arrays; or a
 * stream puts its elements into the columns, batch by batch, and the slots are there. */
#ifndef DATASET_H
#define DATASET_H

#include "base/random.h"
#include "run/stream.h"
#include "base/transpose.h"

struct column {
  const unsigned char *data; /* rows x row_bytes; NULL: */
  int64_t row_bytes;
  struct array array; /* of R's, whose numbers are known to fit the slot's dtype */
  int32_t slot; /* the input that it fills */
};

/* A component of a stream's elements, and where a batch of them stands as numbers of a column. */
struct place {
  int32_t component, dtype;
  unsigned char *to;
};

struct dataset {
  int64_t first, rows; /* of the columns, those from `first` on */
  int64_t position; /* the next row; of a stream: rows that it has put into the columns, which are still to be taken */
  int32_t columns, shuffle; /* 0: no, 1: rows, 2: whole batches, the short one stays the last */
  int64_t batch;            /* rows of a batch, where these are shuffled */
  int32_t *order; /* rows long; NULL: as they are */
  struct column *column;
  struct stream *stream; /* NULL: the columns have all rows */
  struct place *place;   /* of each column: where its numbers come from and go */
  int64_t left;          /* batches to be taken from the stream, -1: all */
  int32_t whole;         /* only full ones */
};

/* Start a pass over the data; in a new order if it shuffles. */
void dataset_rewind(struct dataset *d, struct random *random);

/* By one member of a team: take up to `batch` rows; gives their number, and where they begin. 0 at the end, and where
 * there are not `only` so many (0: any number will do). What fails in a stream's programs is left in `team`. */
int64_t dataset_next(struct dataset *d, int64_t batch, int64_t only, int64_t *begin, struct team *team);

/* A number for all numbers of the n rows that a stream has put into the columns. 0 where the columns have all rows. */
uint64_t dataset_digest(const struct dataset *d, int64_t n);

/* This member's share of copying n rows from position `begin` into the program's inputs. */
void dataset_gather(const struct dataset *d, struct program *p, int64_t begin, int64_t n, int thread, int threads);

#endif
