/* nativenet_communicator.h - how a library hands its sums over processes to nativenet: R's function communicator()
 * takes an external pointer to this struct. It must live as long as the pointer. Functions return 0 or one of the
 * codes below, are called by the thread that R runs in, and must not jump away (no Rf_error()).
 */
#ifndef NATIVENET_COMMUNICATOR_H
#define NATIVENET_COMMUNICATOR_H

#include <stddef.h>

#define NATIVENET_COMMUNICATOR 1 /* this version of the struct */

enum nativenet_answer {
  NATIVENET_OK,
  NATIVENET_FAILED,    /* the library reported an error */
  NATIVENET_TIMED_OUT, /* another rank did not answer in time */
  NATIVENET_LEFT,      /* another rank called leave() */
  NATIVENET_LENGTH     /* another rank sent a vector of another length */
};

struct nativenet_communicator {
  int version;    /* NATIVENET_COMMUNICATOR */
  int rank, size; /* this process, from 0, of how many */
  void *context;  /* handed to the functions */
  /* The sum over all ranks, in place. NULL where there is `exchange`. */
  int (*all_reduce)(void *context, double *numbers, size_t n);
  /* Send n numbers to the rank `peer` and receive n from it. With it, sums take less traffic. NULL: there is none. */
  int (*exchange)(void *context, int peer, const double *send, double *receive, size_t n);
  /* Tell all others that this rank leaves: their next call returns NATIVENET_LEFT. NULL: they find out by themselves.
   * */
  int (*leave)(void *context);
};

#endif
