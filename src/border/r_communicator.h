/* r_communicator.h - communicators and shards as R has them, for one call: their memory is R_alloc()'s. */
#ifndef R_COMMUNICATOR_H
#define R_COMMUNICATOR_H

#include "border/r_border.h"
#include "run/shards.h"

struct communicator *as_communicator(SEXP x);

/* NULL for NULL. */
struct shards *as_shards(SEXP x, SEXP program);

/* Memory for a program's sums and those of more slots, that are read in s->sum: to be protected while it is used. */
SEXP shards_lay_out(struct shards *s, const struct program *p, int32_t more, const int32_t *slots,
  const int32_t *averaged);

#endif
