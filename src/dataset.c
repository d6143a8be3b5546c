#include "dataset.h"

#include <string.h>

void dataset_rewind(struct dataset *d, struct random *random) {
  d->position = 0;
  if (d->shuffle) random_permutation(random, d->order, (int32_t)d->rows);
}

int64_t dataset_next(struct dataset *d, int64_t batch, int64_t *begin) {
  int64_t n = d->rows - d->position < batch ? d->rows - d->position : batch;
  *begin = d->position;
  d->position += n;
  return n;
}

void dataset_gather(const struct dataset *d, struct program *p, int64_t begin, int64_t n, int thread, int threads) {
  struct range r = share_of(n, 1, thread, threads);
  for (int k = 0; k < d->columns; k++) {
    const struct column *c = &d->column[k];
    unsigned char *to = p->slots[c->slot].value;
    for (int64_t i = r.begin; i < r.end; i++) {
      int64_t row = d->shuffle ? d->order[begin + i] : begin + i;
      memcpy(to + i * c->row_bytes, c->data + row * c->row_bytes, (size_t)c->row_bytes);
    }
  }
}
