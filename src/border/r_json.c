/* r_json.c - texts of JSON as R's lists. */
#include "border/r_border.h"
#include "formats/json.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of a raw vector or a string. */
static const unsigned char *text_of(SEXP text, size_t *n) {
  if (TYPEOF(text) == RAWSXP) {
    *n = (size_t)XLENGTH(text);
    return RAW(text);
  }
  check_vector(text, STRSXP, 1);
  *n = strlen(CHAR(STRING_ELT(text, 0)));
  return (const unsigned char *)CHAR(STRING_ELT(text, 0));
}

/* Says in `text` that the name stands twice. */
static const char *name_problem(const unsigned char *name, char *text, size_t size) {
  int n = (int)(json_token_end(name) - name), plain = n < 100;
  for (int i = 0; i < n && plain; i++) plain = name[i] >= ' ' && name[i] <= '~';
  if (!plain) n = 0;
  snprintf(text, size, "the name %.*s%sstands twice in an object", n, (const char *)name, n ? " " : "");
  return text;
}

/* What a text holds: c(cost in bytes of R's memory, 1 if all values are numbers in one array or object, and whole, the
 * least, the most); or in one string why it is refused. */
SEXP ffi_json_scan(SEXP text, SEXP deepest);
SEXP ffi_json_scan(SEXP text, SEXP deepest) {
  size_t n, at;
  struct json_extent e;
  const unsigned char *bytes = text_of(text, &n);
  if (n >= INT_MAX) return Rf_mkString("it has more than 2^31 bytes");
  char twice[160], problem[240];
  const char *why = json_scan(bytes, n, as_int(deepest), &e, &at);
  if (!why && e.names > 0) {
    SEXP room = PROTECT(vector_for(RAWSXP, (int64_t)e.names * JSON_NAME_WORDS * (int64_t)sizeof(uint32_t),
      "the names of a text of JSON", NULL));
    if (json_name_twice(bytes, n, (size_t)e.names, (uint32_t *)(void *)RAW(room), &at))
      why = name_problem(bytes + at, twice, sizeof twice);
    UNPROTECT(1);
  }
  if (why) {
    snprintf(problem, sizeof problem, "at byte %.0f, %s", (double)at + 1, why);
    return Rf_mkString(problem);
  }
  SEXP extent = Rf_allocVector(REALSXP, 5);
  double *to = REAL(extent);
  to[0] = e.cost;
  to[1] = e.numbers;
  to[2] = e.whole;
  to[3] = e.least;
  to[4] = e.most;
  return extent;
}

struct reader {
  const unsigned char *at, *end;
  SEXP blank, none, yes, no; /* values that stand for all their kind */
};

static SEXP read_string(struct reader *r) {
  const unsigned char *start = r->at;
  r->at = json_token_end(start);
  R_xlen_t most = (R_xlen_t)(r->at - start) - 2;
  if (!memchr(start, '\\', (size_t)most + 1)) return Rf_mkCharLenCE((const char *)start + 1, (int)most, CE_UTF8);
  SEXP room = PROTECT(Rf_allocVector(RAWSXP, most));
  SEXP string = Rf_mkCharLenCE((const char *)RAW(room), (int)json_unescape(start, (char *)RAW(room)), CE_UTF8);
  UNPROTECT(1);
  return string;
}

/* Whole numbers as integers, where they fit. */
static int is_integer(const unsigned char *at, double value) {
  return json_is_whole(at) && value >= -INT_MAX && value <= INT_MAX;
}

static double take_number(struct reader *r, int *whole) {
  double value = strtod((const char *)r->at, NULL);
  *whole = is_integer(r->at, value);
  r->at = json_token_end(r->at);
  return value;
}

static SEXP read_value(struct reader *r);

/* How many values stand in the bracket that begins here, and whether all are numbers, or all integers. */
static R_xlen_t count_values(const struct reader *r, int *numbers, int *whole) {
  R_xlen_t n = 0;
  int depth = 0;
  *numbers = *whole = 1;
  for (const unsigned char *at = r->at;;) {
    at = json_skip(at, r->end);
    if (*at == '[' || *at == '{') {
      if (depth++ == 1) n++, *numbers = 0;
      at++;
    } else if (*at == ']' || *at == '}') {
      if (--depth == 0) return n;
      at++;
    } else if (*at == ',' || *at == ':') {
      at++;
    } else {
      const unsigned char *start = at;
      at = json_token_end(at);
      if (depth > 1 || *json_skip(at, r->end) == ':') continue;
      n++;
      if (*start != '-' && (*start < '0' || *start > '9')) *numbers = 0;
      else if (*numbers && *whole) *whole = is_integer(start, strtod((const char *)start, NULL));
    }
  }
}

/* An array of two and more numbers is a vector of them. */
static SEXP read_bracket(struct reader *r) {
  int object = *r->at == '{', numbers, whole;
  R_xlen_t n = count_values(r, &numbers, &whole);
  if (n == 0 && !object) {
    r->at = json_skip(r->at + 1, r->end) + 1;
    return r->none;
  }
  SEXPTYPE type = object || !numbers || n < 2 ? VECSXP : whole ? INTSXP : REALSXP;
  SEXP x = PROTECT(vector_for(type, n, "a list of a text of JSON", NULL)), names = R_NilValue;
  if (object) names = PROTECT(vector_for(STRSXP, n, "the names of a text of JSON", NULL));
  for (R_xlen_t i = 0; i < n; i++) {
    r->at = json_skip(r->at + 1, r->end); /* past the bracket or comma */
    if (object) {
      SET_STRING_ELT(names, i, read_string(r));
      r->at = json_skip(json_skip(r->at, r->end) + 1, r->end);
    }
    int own;
    if (type == VECSXP) SET_VECTOR_ELT(x, i, read_value(r));
    else if (whole) INTEGER(x)[i] = (int)take_number(r, &own);
    else REAL(x)[i] = take_number(r, &own);
    r->at = json_skip(r->at, r->end);
  }
  r->at = n ? r->at + 1 : json_skip(r->at + 1, r->end) + 1;
  if (object) Rf_setAttrib(x, R_NamesSymbol, names);
  UNPROTECT(1 + object);
  return x;
}

static SEXP read_value(struct reader *r) {
  int whole;
  double value;
  switch (*r->at) {
    case '[': case '{': return read_bracket(r);
    case '"':
      if (r->at[1] == '"') return r->at += 2, r->blank;
      return Rf_ScalarString(read_string(r));
    case 't': return r->at += 4, r->yes;
    case 'f': return r->at += 5, r->no;
    case 'n': return r->at += 4, R_NilValue;
  }
  value = take_number(r, &whole);
  return whole ? Rf_ScalarInteger((int)value) : Rf_ScalarReal(value);
}

/* The lists of a text that was scanned. */
SEXP ffi_json_read(SEXP text);
SEXP ffi_json_read(SEXP text) {
  size_t n;
  struct reader r;
  r.at = text_of(text, &n);
  r.end = r.at + n;
  r.at = json_skip(r.at, r.end);
  r.blank = PROTECT(Rf_mkString(""));
  r.none = PROTECT(Rf_allocVector(VECSXP, 0));
  r.yes = PROTECT(Rf_ScalarLogical(1));
  r.no = PROTECT(Rf_ScalarLogical(0));
  SEXP x = read_value(&r);
  UNPROTECT(4);
  return x;
}
