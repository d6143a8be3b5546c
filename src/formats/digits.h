/* Pictures of digits, drawn from pen strokes.
 *
 * A picture is DIGITS_SIDE x DIGITS_SIDE grey values from 0 (paper) to 255 (full ink). Its
 * strokes are smooth curves through control points, given in pixels: the centre of the
 * upper left pixel is (0, 0), x grows to the right and y downwards. Nothing here is
 * random; all variation comes in with the points and pens. */
#ifndef NATIVENET_DIGITS_H
#define NATIVENET_DIGITS_H

#define DIGITS_SIDE 28
#define DIGITS_PIXELS (DIGITS_SIDE * DIGITS_SIDE)

/* All pictures share one form: the same number of strokes with the same numbers of points. */
struct digits {
  int n;                /* pictures                                                 */
  int points;           /* control points of one picture, the sum of `stroke`       */
  int strokes;
  const int *stroke;    /* (strokes)    control points of each stroke, all positive */
  const double *x, *y;  /* (n, points)  control points, stroke after stroke         */
  const double *pen;    /* (n, DIGITS_PEN)                                          */
};

/* The columns of `pen`. */
enum { DIGITS_RADIUS_FROM, DIGITS_RADIUS_TO, DIGITS_SOFTNESS, DIGITS_INK, DIGITS_PEN };

/* Whether the strokes use up the points. */
int digits_valid(const struct digits *d);

/* Picture i, row r, column c goes to out[i + n * (r + side * c)], as an R array has it. */
void digits_draw(const struct digits *d, int *out);

#endif
