/* run.h - the interpreter: run the nodes of a program one after the other. */
#ifndef RUN_H
#define RUN_H

#include "run/optimizer.h"
#include "graph/program.h"

/* Run the nodes from `first` on, for members of a team; they leave together. */
void run_nodes(struct program *p, int32_t first, struct team *team, int thread);

/* Those from `first` to before `end`; firm: they are finished, even if the user interrupts. */
void run_part(struct program *p, int32_t first, int32_t end, int firm, struct team *team, int thread);

/* Number i of a float slot. */
double slot_number(const struct slot *s, int64_t i);

/* What a run left behind, in words. */
enum status run_explain(enum status s, struct failure *failure);

/* The note of a guard node: in how many steps it keeps the weights again (-1: nothing is kept yet), and when a program
 * with this note last changed them. */
enum { KEPT_LEFT, KEPT_TIME, KEPT_NUMBERS };

/* Open a team of fitting size and run the nodes from `first` on. How large it is follows from the work, and from how
 * fast one thread and all were before in what `choice` stands for. */
enum status run_program(struct program *p, int32_t first, struct team_choice *choice, struct failure *failure);

#endif
