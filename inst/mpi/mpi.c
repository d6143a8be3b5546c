/* mpi.c - nativenet's communicator over MPI: compiled by mpicc when strategy_mpi(native = TRUE) is called the first
 * time, or once and for all by mpi_library("folder").
 *
 * Messages have tag 1; a rank that leaves sends tag 2 to all others, and does so when it ends in order, too.
 */
#define _POSIX_C_SOURCE 200809L /* nanosleep() */
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <Rinternals.h>
#include <nativenet_communicator.h>

#define EXIT_SECONDS 5 /* that a rank waits for others to end, before it ends them */
#define LAST_SECONDS 0.2 /* what a rank sent before it left may still be on its way */

#define PATIENCE 20000 /* tries, some milliseconds: who waits longer leaves its core to others */

static struct nativenet_communicator communicator;
static double limit = 300;
static int started, left; /* did we start MPI? have we left? */
static char *gone; /* of each rank: has it left? */
static int missing; /* others that have not */
static char nothing;

static void look(void) {
  for (int there = 1; there;) {
    MPI_Status from;
    MPI_Iprobe(MPI_ANY_SOURCE, 2, MPI_COMM_WORLD, &there, &from);
    if (!there) break;
    MPI_Recv(&nothing, 1, MPI_CHAR, from.MPI_SOURCE, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (!gone[from.MPI_SOURCE]++) missing--;
  }
}

static void rest(int tries) {
  struct timespec nap = {0, 100000};
  if (tries < PATIENCE) sched_yield();
  else nanosleep(&nap, NULL);
}

static int exchange(void *context, int peer, const double *send, double *receive, size_t n) {
  MPI_Request requests[2];
  MPI_Status statuses[2];
  double until = MPI_Wtime() + limit;
  int count;
  (void)context;
  if (n > 2147483647) return NATIVENET_FAILED;
  if (MPI_Irecv(receive, (int)n, MPI_DOUBLE, peer, 1, MPI_COMM_WORLD, &requests[0])) return NATIVENET_FAILED;
  if (MPI_Isend(send, (int)n, MPI_DOUBLE, peer, 1, MPI_COMM_WORLD, &requests[1])) return NATIVENET_FAILED;
  for (int done = 0, tries = 0; !done; tries++) {
    if (MPI_Testall(2, requests, &done, statuses)) return NATIVENET_LENGTH; /* such as a message that is too long */
    if (done || tries % 64) continue;
    look();
    double now = MPI_Wtime();
    if (gone[peer] && until > now + LAST_SECONDS) until = now + LAST_SECONDS;
    if (now > until) return gone[peer] ? NATIVENET_LEFT : NATIVENET_TIMED_OUT;
    rest(tries);
  }
  MPI_Get_count(&statuses[0], MPI_DOUBLE, &count);
  return count == (int)n ? NATIVENET_OK : NATIVENET_LENGTH;
}

static int leave(void *context) {
  (void)context;
  for (int rank = 0; rank < communicator.size && !left; rank++)
    if (rank != communicator.rank) MPI_Send(&nothing, 1, MPI_CHAR, rank, 2, MPI_COMM_WORLD);
  left = 1;
  return NATIVENET_OK;
}

/* For .Call: an external pointer to the communicator. */
SEXP nativenet_mpi_open(void) {
  int there;
  MPI_Initialized(&there);
  started = !there;
  if (!there) MPI_Init(NULL, NULL);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  communicator = (struct nativenet_communicator){.version = NATIVENET_COMMUNICATOR, .exchange = exchange,
    .leave = leave};
  MPI_Comm_rank(MPI_COMM_WORLD, &communicator.rank);
  MPI_Comm_size(MPI_COMM_WORLD, &communicator.size);
  gone = calloc((size_t)communicator.size, 1);
  missing = communicator.size - 1;
  return R_MakeExternalPtr(&communicator, R_NilValue, R_NilValue);
}

SEXP nativenet_mpi_limit(SEXP seconds) {
  limit = Rf_asReal(seconds);
  return R_NilValue;
}

/* As R ends: if others do not, they wait for what does not come. */
SEXP nativenet_mpi_close(void) {
  double until = MPI_Wtime() + EXIT_SECONDS;
  if (!started) return R_NilValue;
  leave(NULL);
  while (missing && MPI_Wtime() < until) {
    look();
    rest(PATIENCE);
  }
  if (missing) MPI_Abort(MPI_COMM_WORLD, 1);
  MPI_Finalize();
  return R_NilValue;
}
