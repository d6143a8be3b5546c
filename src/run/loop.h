/* loop.h - one pass over the rows of a data set in batches: gather a batch into the program's inputs, take a step, and
 * so on, by a team that stays together until the caller wants to be asked.
 *
 * It knows nothing of R. It returns to the caller's poll between steps only, where everything is consistent; the poll
 * may jump away, and the loop can go on later: all that it depends on stands here and in the data set.
 */
#ifndef LOOP_H
#define LOOP_H

#include "run/dataset.h"
#include "run/run.h"

struct loop {
  struct program *program;
  struct dataset *data;
  int64_t batch;              /* rows per step */
  int64_t only;               /* the program serves steps of so many rows and no others; 0: of any */
  int own_rows;               /* the step gathers them by itself, a part after the other */
  int every_step;             /* poll after each step, not only when the clock asks */
  struct team_choice *choice; /* one thread or all? results do not depend on it */
  struct failure *failure;
  int (*step)(struct loop *l, struct team *team, int thread); /* by all members; 0: the team must stop */
  int (*poll)(struct loop *l);     /* may jump away; nonzero: stop here */
  int64_t begin, rows;        /* of the present batch; rows = 0: there is none */
  int ended;                  /* there are no more rows, or none that the program serves */
};

/* From where the data set stands to its end, or to a batch that the program does not serve. */
enum status loop_run(struct loop *l);

#endif
