#include "run/dataset.h"
#include "kernels/target.h"

#include <string.h>

/* Rows of a shuffled set lie anywhere: ask for the next batch's while this one is worked on. */
static void fetch_ahead(const unsigned char *row, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += ALIGNMENT) FETCH(row + at);
}

static int64_t row_at(const struct dataset *d, int64_t position) {
  return d->first + (d->shuffle ? d->order[position] : position);
}

void dataset_rewind(struct dataset *d, struct random *random) {
  d->position = 0;
  if (d->shuffle == 1) random_permutation(random, d->order, (int32_t)d->rows);
  if (d->shuffle != 2) return;
  int64_t batches = d->rows / d->batch;
  random_permutation(random, d->order, (int32_t)batches);
  for (int64_t row = batches * d->batch; row < d->rows; row++) d->order[row] = (int32_t)row;
  for (int64_t k = batches - 1; k >= 0; k--) /* from the end, as the batches' numbers stand in front */
    for (int64_t i = d->batch - 1, first = d->order[k] * d->batch; i >= 0; i--)
      d->order[k * d->batch + i] = (int32_t)(first + i);
}

#define AS_FLOATS(type)                                                              \
  for (int64_t i = 0; i < n; i++) {                                                  \
    if (dtype == FLOAT32) ((float *)to)[i] = (float)((const type *)from)[i];         \
    else ((double *)to)[i] = (double)((const type *)from)[i];                        \
  }                                                                                  \
  break

/* As op_cast() to floats does. */
static void as_floats(int64_t n, int own, const void *from, int dtype, void *to) {
  switch (own) {
  case FLOAT32: AS_FLOATS(float);
  case FLOAT64: AS_FLOATS(double);
  case INT32: AS_FLOATS(int32_t);
  case INT64: AS_FLOATS(int64_t);
  default: AS_FLOATS(unsigned char);
  }
}

/* Put the element that the stream stands at into row i of the columns. */
static void put_element(const struct dataset *d, int64_t i) {
  const struct stage *top = &d->stream->stage[d->stream->stages - 1];
  for (int k = 0; k < d->columns; k++) {
    const struct component *c = &top->component[d->place[k].component];
    unsigned char *to = d->place[k].to + i * d->column[k].row_bytes;
    if (c->dtype == d->place[k].dtype) memcpy(to, c->value, (size_t)d->column[k].row_bytes);
    else as_floats(shape_count(&c->shape), c->dtype, c->value, d->place[k].dtype, to);
  }
}

/* The stream's programs are run by this member alone. */
static void fill_columns(struct dataset *d, int64_t batch, struct team *team) {
  struct team alone = {.threads = 1};
  if (d->position || !d->left) return;
  d->stream->team = &alone;
  while (d->position < batch && stream_next(d->stream, d->stream->stages - 1)) put_element(d, d->position++);
  if (d->stream->failed) atomic_store(&team->failed, (int)d->stream->failed);
  if (d->stream->failed || (d->whole && d->position < batch)) d->position = 0;
  d->stream->failed = STATUS_OK;
  if (d->position && d->left > 0) d->left--;
}

int64_t dataset_next(struct dataset *d, int64_t batch, int64_t only, int64_t *begin, struct team *team) {
  if (d->stream) fill_columns(d, batch, team);
  int64_t left = d->stream ? d->position : d->rows - d->position, n = left < batch ? left : batch;
  if (only && n != only) return 0;
  *begin = d->stream ? 0 : d->position;
  d->position = d->stream ? 0 : d->position + n;
  return n;
}

/* A bijection of the state for each word, so that one word that differs always changes the digest. */
static uint64_t digest_word(uint64_t state, const unsigned char *from, size_t bytes) {
  uint64_t word = 0;
  memcpy(&word, from, bytes);
  state = (state ^ word) * 0x9e3779b97f4a7c15u;
  return state >> 32 | state << 32;
}

uint64_t dataset_digest(const struct dataset *d, int64_t n) {
  enum { LANES = 8 }; /* states that do not wait for each other */
  uint64_t digest = 0;
  for (int k = 0; d->stream && k < d->columns; k++) {
    const unsigned char *from = d->place[k].to;
    size_t bytes = (size_t)(n * d->column[k].row_bytes), at = 0;
    uint64_t lane[LANES] = {0};
    for (; bytes - at >= 8 * LANES; at += 8 * LANES)
      for (int i = 0; i < LANES; i++) lane[i] = digest_word(lane[i], from + at + 8 * i, 8);
    for (; at < bytes; at += 8) lane[0] = digest_word(lane[0], from + at, bytes - at < 8 ? bytes - at : 8);
    for (int i = 0; i < LANES; i++) digest = digest_word(digest, (const unsigned char *)&lane[i], 8);
  }
  return digest;
}

static void gather_bytes(const struct dataset *d, const struct column *c, int64_t begin, int64_t n, struct range r,
  unsigned char *to) {
  for (int64_t i = r.begin; i < r.end; i++) {
    memcpy(to + i * c->row_bytes, c->data + row_at(d, begin + i) * c->row_bytes, (size_t)c->row_bytes);
    if (begin + n + i < d->rows) fetch_ahead(c->data + row_at(d, begin + n + i) * c->row_bytes, c->row_bytes);
  }
}

/* Rows that follow each other are taken at once. */
static void gather_array(const struct dataset *d, const struct column *c, int64_t begin, struct range r, int dtype,
  unsigned char *to) {
  for (int64_t i = r.begin, n; i < r.end; i += n) {
    int64_t row = row_at(d, begin + i);
    for (n = 1; i + n < r.end && row_at(d, begin + i + n) == row + n; n++) continue;
    rows_from_array(&c->array, row, n, dtype, to + i * c->row_bytes);
  }
}

/* An autoencoder's target is its input. */
static int is_first_again(const struct dataset *d, const struct program *p, int k) {
  const struct column *c = &d->column[k], *one = &d->column[0];
  return k > 0 && c->data == one->data && (c->data || c->array.data == one->array.data) &&
    c->row_bytes == one->row_bytes && p->slots[c->slot].dtype == p->slots[one->slot].dtype;
}

void dataset_gather(const struct dataset *d, struct program *p, int64_t begin, int64_t n, int thread, int threads) {
  struct range r = share_of(n, 1, thread, threads);
  for (int k = 0; k < d->columns; k++) {
    const struct column *c = &d->column[k];
    struct slot *s = &p->slots[c->slot];
    if (d->stream) {
      if (thread == 0) s->value = d->place[k].to + begin * c->row_bytes;
    } else if (is_first_again(d, p, k)) {
      if (thread == 0) s->value = p->slots[d->column[0].slot].value;
    } else if (c->data) {
      gather_bytes(d, c, begin, n, r, s->value);
    } else {
      gather_array(d, c, begin, r, s->dtype, s->value);
    }
  }
}
