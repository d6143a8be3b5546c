/* communicator.h - sums over the processes (ranks) of a job, by functions that the caller brings: the engine knows no
 * MPI. The order of the additions is fixed, so that all ranks get the same bits, and the same as one process would that
 * adds up all parts.
 */
#ifndef COMMUNICATOR_H
#define COMMUNICATOR_H

#include "base/nativenet.h"

enum answer { ANSWER_OK, ANSWER_FAILED, ANSWER_TIMED_OUT, ANSWER_LEFT, ANSWER_LENGTH };

/* As inst/include/nativenet_communicator.h says; all_reduce or exchange is there. */
struct communicator {
  int rank, size; /* the size is a power of two */
  void *context;
  int (*all_reduce)(void *context, double *numbers, size_t n);
  int (*exchange)(void *context, int peer, const double *send, double *receive, size_t n);
  int (*leave)(void *context);
  const char *why; /* what the last failing function said, or NULL */
};

/* Numbers of room that a sum of n needs beside them. */
int64_t communicator_room(const struct communicator *c, int64_t n);

/* x becomes the sum over all ranks: by a binary tree whose leaves are the ranks in their order. No x is -0. */
enum status communicator_sum(struct communicator *c, double *x, int64_t n, double *room, struct failure *failure);

/* This rank takes part no more: the others' next sum fails, rather than wait. */
void communicator_leave(struct communicator *c, double *room);

#endif
