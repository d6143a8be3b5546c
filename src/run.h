/* run.h - the interpreter: walk a program forwards, or backwards. */
#ifndef RUN_H
#define RUN_H

#include "optimizer.h"

/* For members of a team; they leave together. Gradients, updates and assignments that stand in the program
 * happen on the way. */
void run_forward(struct program *p, struct team *team, int thread);
void run_backward(struct program *p, struct team *team, int thread);

/* What a run left behind, in words. */
enum status run_explain(enum status s, struct failure *failure);

/* Open a team of fitting size and run. */
enum status run_program(struct program *p, int forward, int backward, struct failure *failure);

/* A forward run of a program that is run again and again: the team is chosen by how fast it was before. */
enum status run_again(struct program *p, struct failure *failure);

#endif
