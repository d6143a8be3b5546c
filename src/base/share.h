/* share.h - how work is divided. A share depends on sizes alone. */
#ifndef SHARE_H
#define SHARE_H

#include "base/nativenet.h"

struct range {
  int64_t begin, end;
};

/* Share number `part` of n items among `parts`, in whole multiples of `grain`. */
static inline struct range share_of(int64_t n, int64_t grain, int part, int parts) {
  int64_t grains = (n + grain - 1) / grain;
  struct range r = {grains * part / parts * grain, grains * (part + 1) / parts * grain};
  if (r.begin > n) r.begin = n;
  if (r.end > n) r.end = n;
  return r;
}

#endif
