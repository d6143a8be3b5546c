/* dataset.h - rows of several arrays (inputs, targets, weights), visited in an order, in batches.
 * The arrays were converted once; a batch is gathered straight into a program's input slots. */
#ifndef DATASET_H
#define DATASET_H

#include "program.h"
#include "random.h"
#include "threads.h"

#define MAX_COLUMNS 16

struct column {
  const unsigned char *data; /* rows x row_bytes */
  int64_t row_bytes;
  int32_t slot; /* the input that it fills */
};

struct dataset {
  int64_t rows, position;
  int32_t columns, shuffle; /* 0: no, 1: rows, 2: whole batches, the short one stays the last */
  int64_t batch;            /* rows of a batch, where these are shuffled */
  int32_t *order; /* rows long; NULL: as they are */
  struct column column[MAX_COLUMNS];
};

/* Start a pass over the data; in a new order if it shuffles. */
void dataset_rewind(struct dataset *d, struct random *random);

/* Take up to `batch` rows; gives their number, 0 at the end, and where they begin. */
int64_t dataset_next(struct dataset *d, int64_t batch, int64_t *begin);

/* This member's share of copying n rows from position `begin` into the program's inputs. */
void dataset_gather(const struct dataset *d, struct program *p, int64_t begin, int64_t n, int thread, int threads);

#endif
