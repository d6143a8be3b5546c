#include "formats/digits.h"

#include <math.h>
#include <stddef.h>

/* Straight pieces between two control points. Control points are some five pixels apart,
 * so that a piece is about a pixel long. */
#define PIECES 6

struct point { double x, y, radius; };

static double clamp(double v, double lo, double hi) {
  return v > lo ? (v < hi ? v : hi) : lo;  /* NaN becomes lo */
}

/* Darkens the pixels near the segment a-b. Coverage falls from 1 to 0 over `softness`
 * pixels around the edge of the pen; where strokes cross, the darkest wins. */
static void draw_segment(double *cover, struct point a, struct point b, double softness) {
  const double reach = (a.radius > b.radius ? a.radius : b.radius) + softness;
  const double last = DIGITS_SIDE - 1;
  const int c0 = (int)clamp(ceil(fmin(a.x, b.x) - reach), 0, last);
  const int c1 = (int)clamp(floor(fmax(a.x, b.x) + reach), 0, last);
  const int r0 = (int)clamp(ceil(fmin(a.y, b.y) - reach), 0, last);
  const int r1 = (int)clamp(floor(fmax(a.y, b.y) + reach), 0, last);
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;

  for (int r = r0; r <= r1; r++) {
    for (int c = c0; c <= c1; c++) {
      const double px = c - a.x, py = r - a.y;
      const double t = length2 > 0 ? clamp((px * dx + py * dy) / length2, 0, 1) : 0;
      const double ex = px - t * dx, ey = py - t * dy;
      const double edge = a.radius + t * (b.radius - a.radius) - sqrt(ex * ex + ey * ey);
      const double value = clamp(0.5 + edge / softness, 0, 1);
      if (value > cover[r * DIGITS_SIDE + c]) cover[r * DIGITS_SIDE + c] = value;
    }
  }
}

/* Catmull & Rom 1974, uniform knots: from p1 (t = 0) to p2 (t = 1). */
static double spline(double p0, double p1, double p2, double p3, double t) {
  return p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3
                                        + t * (3 * (p1 - p2) + p3 - p0)));
}

/* One stroke through the points at x[0], x[step], ...; the pen's radius changes evenly
 * from its start to its end. */
static void draw_stroke(double *cover, const double *x, const double *y, size_t step, int points,
                        const double *pen, size_t pen_step) {
  const double from = pen[DIGITS_RADIUS_FROM * pen_step], to = pen[DIGITS_RADIUS_TO * pen_step];
  const double softness = pen[DIGITS_SOFTNESS * pen_step];
  struct point a = {x[0], y[0], from};
  if (points == 1) draw_segment(cover, a, a, softness);

  for (int k = 0; k + 1 < points; k++) {
    const size_t i1 = (size_t)k * step, i2 = i1 + step;
    const size_t i0 = k > 0 ? i1 - step : i1, i3 = k + 2 < points ? i2 + step : i2;
    for (int piece = 1; piece <= PIECES; piece++) {
      const double t = (double)piece / PIECES;
      const struct point b = {
        spline(x[i0], x[i1], x[i2], x[i3], t),
        spline(y[i0], y[i1], y[i2], y[i3], t),
        from + (to - from) * (k + t) / (points - 1)
      };
      draw_segment(cover, a, b, softness);
      a = b;
    }
  }
}

int digits_valid(const struct digits *d) {
  long left = d->points;
  for (int s = 0; s < d->strokes; s++) {
    if (d->stroke[s] < 1) return 0;
    left -= d->stroke[s];
    if (left < 0) return 0;
  }
  return left == 0;
}

void digits_draw(const struct digits *d, int *out) {
  const size_t n = (size_t)d->n;
  for (size_t i = 0; i < n; i++) {
    double cover[DIGITS_PIXELS] = {0};
    const double *x = d->x + i, *y = d->y + i, *pen = d->pen + i;
    for (int s = 0; s < d->strokes; s++) {
      draw_stroke(cover, x, y, n, d->stroke[s], pen, n);
      x += (size_t)d->stroke[s] * n;
      y += (size_t)d->stroke[s] * n;
    }
    const double ink = pen[DIGITS_INK * n];
    for (size_t r = 0; r < DIGITS_SIDE; r++) {
      for (size_t c = 0; c < DIGITS_SIDE; c++) {
        out[i + n * (r + DIGITS_SIDE * c)] = (int)(clamp(ink * cover[r * DIGITS_SIDE + c], 0, 255) + 0.5);
      }
    }
  }
}
