/* derive.h - gradients as nodes (reverse-mode differentiation).
 *
 * The gradient of a sum of targets is a walk back through the nodes that computed them. For each op that it passes, the
 * walk appends the derivative of the op, a node; gradients that meet in a slot are added up there, in the order of the
 * walk.
 */
#ifndef DERIVE_H
#define DERIVE_H

#include "graph/program.h"

/* What is asked: of the sum of the targets, towards the sources, through nodes [first, end). */
struct derivation {
  int32_t first, end;
  const struct operand *targets, *sources;
  int n_targets, n_sources;
};

/* Which slots a gradient flows to: where a watched slot has a part in a target, by way of the sources. Afterwards
 * slot.gradient is not NO_SLOT for those that receive one. Slots that are watched must be marked so. */
void derive_reach(struct program *p, const struct derivation *d);

/* Is a gradient among what the targets are computed from? It cannot be differentiated again. */
int derive_meets_gradient(struct program *p, const struct derivation *d);

/* After derive_reach(), in a traced function: does a variable change that the derivative reads? */
int derive_meets_change(const struct program *p, const struct derivation *d);

/* Does one of nodes [first, end) change this slot? */
int derive_changes(const struct program *p, int32_t first, int32_t end, int32_t slot);

/* Does a variable that nodes [first, end) read hold something else by now? */
int derive_overwritten(const struct program *p, int32_t first, int32_t end);

/* Room that the derivative may need, in slots, nodes and operands. */
struct room {
  int32_t slots, nodes, operands;
};
struct room derive_room(const struct program *p, const struct derivation *d);

/* Append the nodes. slot.result, unless it is NO_SLOT, is where the gradient of a slot is wanted; otherwise it gets a
 * new one, slot.gradient. If `seeded`, slot.gradient of the targets is where their gradients stand; else they are 1 for
 * each time that a slot is named. */
void derive(struct program *p, const struct derivation *d, int seeded);

/* A gradient node of a traced function: its inputs are targets, sources, and what the tape was told to watch; it has an
 * output per source. Its place is taken by the nodes of the derivative when the program is sealed. */
enum { GRADIENT_TARGETS, GRADIENT_SOURCES, GRADIENT_FIRST, GRADIENT_END, GRADIENT_WATCH_VARIABLES, GRADIENT_INTS };

/* What such a node asks; marks the slots that its tape watched. */
struct derivation gradient_question(struct program *p, const struct node *n);

/* Room for the sealed program, which begins as a copy of `traced` without nodes and operands. */
struct room seal_room(struct program *traced);

/* Put the nodes of `traced` into `sealed`, gradient nodes replaced. What no kept slot depends on, and what changes no
 * variable, is left out. */
void program_seal(struct program *traced, struct program *sealed);

/* After that, for a step over shards: order the nodes, and add sums for what is assigned (split.c). There must be room
 * for so much more. Fails if the step cannot be split, with the reason. */
struct room split_room(const struct program *p);
enum status program_split(struct program *p, struct failure *failure);

/* Before that: put one op in the place of several, where its kernel does the work of all (fuse.c). There must
 * be room for so much more. */
struct room fuse_room(const struct program *p);
void program_fuse(struct program *p);

#endif
