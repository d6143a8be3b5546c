#include "formats/json.h"
#include "formats/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- tokens ---- */

static int is_space(unsigned char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
static int is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

const unsigned char *json_skip(const unsigned char *at, const unsigned char *end) {
  while (at < end && is_space(*at)) at++;
  return at;
}

const unsigned char *json_token_end(const unsigned char *at) {
  if (*at == '"') {
    for (at++; *at != '"'; at++) at += *at == '\\';
    return at + 1;
  }
  while (is_digit(*at) || (*at >= 'a' && *at <= 'z') || *at == '-' || *at == '+' || *at == '.' || *at == 'E') at++;
  return at;
}

int json_is_whole(const unsigned char *at) {
  at += *at == '-';
  while (is_digit(*at)) at++;
  return *at != '.' && *at != 'e' && *at != 'E';
}

static int hex_value(unsigned char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t hex4(const unsigned char *at, const unsigned char *end) {
  if (end - at < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hex_value(at[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* The character of the escape that begins with this backslash, which is moved past. -1 if it is none. */
static int32_t take_escape(const unsigned char **at, const unsigned char *end) {
  static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  const unsigned char *c = *at + 1;
  if (c >= end) return -1;
  if (*c != 'u') {
    const char *name = *c ? strchr(names, *c) : NULL;
    *at = c + 1;
    return name ? meant[name - names] : -1;
  }
  int32_t first = hex4(c + 1, end);
  *at = c + 5;
  if (first < 0xd800 || first > 0xdfff) return first;
  if (first > 0xdbff || end - c < 11 || c[5] != '\\' || c[6] != 'u') return -1;
  int32_t second = hex4(c + 7, end);
  *at = c + 11;
  return second < 0xdc00 || second > 0xdfff ? -1 : 0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00);
}

static int put_utf8(int32_t c, unsigned char *to) {
  if (c < 0x80) return to[0] = (unsigned char)c, 1;
  int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  for (int i = more; i > 0; i--, c >>= 6) to[i] = (unsigned char)(0x80 | (c & 0x3f));
  to[0] = (unsigned char)(c | (more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0));
  return more + 1;
}

/* ---- the whole text ---- */

/* The end of a string, or NULL and where and why it is none. */
static const unsigned char *check_string(const unsigned char *at, const unsigned char *end, const char **problem,
  size_t *offset) {
  const unsigned char *start = at++;
  while (at < end && *at != '"') {
    const unsigned char *from = at;
    *problem = NULL;
    if (*at < 0x20) *problem = "a string holds a control character";
    else if (*at == '\\') {
      int32_t c = take_escape(&at, end);
      if (c <= 0) *problem = c ? "a string holds an escape that is none" : "a string holds a zero character";
    } else {
      int n = utf8_length(at, end);
      if (!n) *problem = "it is not UTF-8";
      at += n;
    }
    if (*problem) {
      *offset += (size_t)(from - start);
      return NULL;
    }
  }
  if (at < end) return at + 1;
  *problem = "a string has no end";
  return NULL;
}

/* The end of a number, or NULL. */
static const unsigned char *check_number(const unsigned char *at, const unsigned char *end) {
  if (at < end && *at == '-') at++;
  if (at >= end || !is_digit(*at)) return NULL;
  if (*at++ != '0') while (at < end && is_digit(*at)) at++;
  if (at < end && *at == '.') {
    if (++at >= end || !is_digit(*at)) return NULL;
    while (at < end && is_digit(*at)) at++;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    if (++at < end && (*at == '+' || *at == '-')) at++;
    if (at >= end || !is_digit(*at)) return NULL;
    while (at < end && is_digit(*at)) at++;
  }
  return at;
}

/* What R takes for a vector of one element, with its place in a list; and for an object's names besides. */
enum { COST_PLACE = 8, COST_SCALAR = 56, COST_NAMES = 112 };

/* A string, number or word at *place, which moves behind it; what is wrong with it, or NULL. */
static const char *scan_scalar(const unsigned char **place, const unsigned char *end, struct json_extent *e,
  size_t *offset) {
  static const char *const words[] = {"true", "false", "null"};
  const unsigned char *start = *place, *at = start;
  const char *problem = NULL;
  if (*at == '"') {
    if (!(at = check_string(at, end, &problem, offset))) return problem;
    e->cost += 2 * COST_SCALAR + (double)(at - start);
  } else if (*at == '-' || is_digit(*at)) {
    if (!(at = check_number(at, end))) return "a number is none";
    if (at == end) return "it ends early"; /* and what follows ends the number for strtod(), too */
    double value = strtod((const char *)start, NULL);
    if (!isfinite(value)) return "a number is beyond those of doubles";
    if (value < e->least) e->least = value;
    if (value > e->most) e->most = value;
    e->whole = e->whole && value == floor(value);
    e->cost += COST_SCALAR;
  } else {
    size_t length = 0;
    for (int i = 0; i < 3 && !length; i++) {
      size_t w = strlen(words[i]);
      if ((size_t)(end - at) >= w && !memcmp(at, words[i], w)) length = w;
    }
    if (!length) return "a value is missing";
    at += length;
  }
  *place = at;
  return NULL;
}

const char *json_scan(const unsigned char *text, size_t n, int deepest, struct json_extent *extent, size_t *offset) {
  const unsigned char *at = text, *end = text + n;
  unsigned char open[JSON_DEEPEST], bare[JSON_DEEPEST] = {0}; /* bare: only numbers are within */
  double count[JSON_DEEPEST] = {0};
  int depth = 0, wants_value = 1, first = 0; /* first: a bracket was just opened */
  const char *problem = NULL;
  struct json_extent e = {0, 1, 0, 0, INFINITY, -INFINITY};
  if (deepest > JSON_DEEPEST) deepest = JSON_DEEPEST;
  for (;;) {
    at = json_skip(at, end);
    *offset = (size_t)(at - text);
    if (at == end) return depth == 0 && !wants_value ? (e.numbers = bare[0], *extent = e, NULL) : "it ends early";
    if (depth == 0 && !wants_value) return "there is more after its end";
    unsigned char c = *at;
    if (!wants_value || (first && (c == ']' || c == '}'))) { /* after a value, or in a bracket that holds none */
      if ((c == ']' || c == '}') && open[depth - 1] == (c == ']' ? '[' : '{')) {
        depth--, at++, wants_value = first = 0;
        if (c == ']' && bare[depth] && count[depth] > 1) e.cost -= count[depth] * COST_SCALAR; /* a vector */
      } else if (c == ',' && !first) at++, wants_value = 1;
      else return "a comma or a closing bracket is missing";
      continue;
    }
    if (depth > 0 && open[depth - 1] == '{') { /* the name of a value */
      if (c != '"') return "a name is missing";
      const unsigned char *name = at;
      if (!(at = check_string(at, end, &problem, offset))) return problem;
      e.names++;
      e.cost += COST_PLACE + COST_SCALAR + (double)(at - name);
      at = json_skip(at, end);
      *offset = (size_t)(at - text);
      if (at == end || *at != ':') return "a colon is missing";
      at = json_skip(at + 1, end);
      *offset = (size_t)(at - text);
      if (at == end) return "it ends early";
      c = *at;
    }
    wants_value = first = 0;
    e.cost += COST_PLACE;
    int number = c == '-' || is_digit(c);
    if (depth > 0) count[depth - 1]++, bare[depth - 1] = bare[depth - 1] && number;
    if (c == '[' || c == '{') {
      if (depth >= deepest) return "its brackets are nested too deeply";
      bare[depth] = 1;
      count[depth] = 0;
      open[depth++] = c;
      e.cost += COST_SCALAR + (c == '{' ? COST_NAMES : 0);
      at++, wants_value = first = 1;
      continue;
    }
    if (depth == 0) return "it is neither an object nor an array";
    if ((problem = scan_scalar(&at, end, &e, offset))) return problem;
  }
}

/* ---- strings ---- */

/* The bytes of UTF-8 that a string stands for, one after the other. */
struct unescaping {
  const unsigned char *at, *end;
  unsigned char held[4]; /* of an escape */
  int n, next;
};

static struct unescaping unescape(const unsigned char *string, const unsigned char *end) {
  struct unescaping u = {string + 1, end, {0}, 0, 0};
  return u;
}

/* 0 at the string's end. */
static int next_byte(struct unescaping *u) {
  if (u->next < u->n) return u->held[u->next++];
  if (*u->at == '"') return 0;
  if (*u->at != '\\') return *u->at++;
  u->n = put_utf8(take_escape(&u->at, u->end), u->held);
  u->next = 1;
  return u->held[0];
}

size_t json_unescape(const unsigned char *at, char *to) {
  struct unescaping u = unescape(at, json_token_end(at));
  size_t n = 0;
  for (int c; (c = next_byte(&u)) != 0;) to[n++] = (char)c;
  return n;
}

/* ---- names ---- */

static int same_names(const unsigned char *a, const unsigned char *b, const unsigned char *end) {
  struct unescaping x = unescape(a, end), y = unescape(b, end);
  for (;;) {
    int c = next_byte(&x);
    if (c != next_byte(&y)) return 0;
    if (!c) return 1;
  }
}

int json_name_twice(const unsigned char *text, size_t n, size_t names, uint32_t *room, size_t *offset) {
  const unsigned char *at = text, *end = text + n;
  /* of names counted from 1; 0: a slot is free */
  uint32_t *name = room, *owner = room + names, *slot = room + 2 * names;
  size_t slots = (JSON_NAME_WORDS - 2) * names;
  uint32_t open[JSON_DEEPEST], objects = 0, count = 0;
  int depth = 0;
  uint64_t seed = (uint64_t)(uintptr_t)room; /* which a file cannot know */
  memset(slot, 0, slots * sizeof *slot);
  for (; (at = json_skip(at, end)) < end;) {
    if (*at == '{') open[depth++] = ++objects, at++;
    else if (*at == '[') open[depth++] = 0, at++;
    else if (*at == ']' || *at == '}') depth--, at++;
    else if (*at == ',' || *at == ':') at++;
    else {
      const unsigned char *token = at;
      at = json_token_end(at);
      if (*token != '"' || open[depth - 1] == 0 || *json_skip(at, end) != ':') continue;
      uint64_t hash = seed ^ (uint64_t)open[depth - 1] * 0x9e3779b97f4a7c15u;
      struct unescaping u = unescape(token, end);
      for (int c; (c = next_byte(&u)) != 0; hash ^= hash >> 29) hash = (hash ^ (uint64_t)c) * 0x100000001b3u;
      size_t i = (size_t)((hash ^ hash >> 32) % slots);
      for (; slot[i]; i = i + 1 == slots ? 0 : i + 1) {
        uint32_t k = slot[i] - 1;
        if (owner[k] == open[depth - 1] && same_names(text + name[k], token, end))
          return *offset = (size_t)(token - text), 1;
      }
      name[count] = (uint32_t)(token - text);
      owner[count] = open[depth - 1];
      slot[i] = ++count;
    }
  }
  return 0;
}
