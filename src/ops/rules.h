/* rules.h - what shape rules share, wherever they stand: in ops.c and in convolution.c and its like. */
#ifndef RULES_H
#define RULES_H

#include "ops/ops.h"

#define TEXT 120 /* longest printed shape in a message */
#define SHAPE_TEXT(s, buffer) shape_format(s, buffer, sizeof buffer)

/* The name under which users know the op. */
const char *user_name(int op);

/* What is wrong, with the shapes of the first two inputs; with a value and the shape of the first. */
enum status bad_shapes(struct inference *q, const char *what);
enum status bad_value(struct inference *q, const char *what, int64_t value);

/* All inputs from `first` on must have the dtype of input `first`, which is the output's. */
enum status same_dtype(struct inference *q, int first);

/* Input k, called `name`, must have so many axes; these sizes; this dtype. There is none if k < 0. */
enum status need_axes(struct inference *q, int k, const char *name, int rank, const char *axes);
enum status need_shape(struct inference *q, int k, const char *name, struct shape wanted);
enum status need_dtype(struct inference *q, int k, const char *name, int dtype);

/* ---- rules of families ---- */

/* Of windows over x (batch, 1 to 3 spatial axes, channels): see window.h. */
enum status rule_pool(struct inference *q);
enum status rule_unpool(struct inference *q);

/* Of transforms of pictures: see image.h. */
enum status rule_image(struct inference *q);

/* Of the convolution ops: see convolution.h. */
enum status rule_convolution(struct inference *q);

/* Of matrices: see linalg.c. */
enum status rule_cholesky(struct inference *q);
enum status rule_solve(struct inference *q);
enum status rule_det(struct inference *q);
enum status rule_qr(struct inference *q);
enum status rule_eigh(struct inference *q);
enum status rule_svd(struct inference *q);

/* Of dot-product attention: see attention.h. */
enum status rule_attention(struct inference *q);

/* Mean and variance, and what they make of x: see normalize.h. */
enum status rule_normalize(struct inference *q);

#endif
