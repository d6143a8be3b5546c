/* dataset.h - rows of several arrays (inputs, targets, weights), visited in an order, in batches.
 * A batch is gathered straight into a program's input slots, from numbers in our order or from R's own arrays. */
#ifndef DATASET_H
#define DATASET_H

#include "program.h"
#include "random.h"
#include "threads.h"
#include "transpose.h"

struct column {
  const unsigned char *data; /* rows x row_bytes; NULL: */
  int64_t row_bytes;
  struct array array; /* of R's, whose numbers are known to fit the slot's dtype */
  int32_t slot; /* the input that it fills */
};

struct dataset {
  int64_t first, rows; /* of the columns, those from `first` on */
  int64_t position;
  int32_t columns, shuffle; /* 0: no, 1: rows, 2: whole batches, the short one stays the last */
  int64_t batch;            /* rows of a batch, where these are shuffled */
  int32_t *order; /* rows long; NULL: as they are */
  struct column *column;
};

/* Start a pass over the data; in a new order if it shuffles. */
void dataset_rewind(struct dataset *d, struct random *random);

/* Take up to `batch` rows; gives their number, 0 at the end, and where they begin. */
int64_t dataset_next(struct dataset *d, int64_t batch, int64_t *begin);

/* This member's share of copying n rows from position `begin` into the program's inputs. */
void dataset_gather(const struct dataset *d, struct program *p, int64_t begin, int64_t n, int thread, int threads);

#endif
