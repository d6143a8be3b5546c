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
  int rank, size;
  void *context;
  int (*all_reduce)(void *context, double *numbers, size_t n);
  int (*exchange)(void *context, int peer, const double *send, double *receive, size_t n);
  int (*leave)(void *context);
  int *told;       /* has another rank told all that it leaves? */
  const char *why; /* what the last failing function said, or NULL */
};

/* What is added up are `parts`, at least one for each rank, which has some in a row. They are the leaves of a binary
 * tree: the sum of a node is that of its left half plus that of its right half. So the bits of the result do not depend
 * on the number of ranks. */
static inline int part_begin(int parts, int size, int rank) { return (int)((int64_t)parts * rank / size); }

/* How many sums of nodes that are this rank's alone are complete with a part, but for the part itself; so many times
 * the last two vectors of a stack become one. */
int sums_closed(const struct communicator *c, int parts, int part);

/* How high the stack gets. */
int sums_levels(const struct communicator *c, int parts);

/* Numbers of room that a sum of n needs beside them. */
int64_t communicator_room(const struct communicator *c, int parts, int64_t n);

/* x, the stack of this rank with a vector of n numbers every `stride`, gets the sum over all parts as its first vector.
 * No number is -0. */
enum status communicator_sum(struct communicator *c, int parts, double *x, int64_t stride, int64_t n, double *room,
  struct failure *failure);

/* This rank takes part no more: the others' next sum fails, rather than wait. */
void communicator_leave(struct communicator *c, double *room);

#endif
