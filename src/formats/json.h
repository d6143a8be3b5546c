/* json.h - a text of JSON, checked as a whole before anything is made of it.
 *
 * The text is that of RFC 8259, whose outermost value is an object or an array. What readers would take differently is
 * refused as well: names that stand twice in an object, halves of surrogates, zero characters, numbers beyond those of
 * doubles.
 */
#ifndef NATIVENET_JSON_H
#define NATIVENET_JSON_H

#include <stddef.h>
#include <stdint.h>

#define JSON_DEEPEST 100

/* What a text holds. `cost` is what its values take in R, in bytes, at most; `numbers` tells whether it is one bracket
 * of numbers, `whole` whether all numbers are whole. */
struct json_extent {
  int numbers, whole;
  double names, cost, least, most;
};

/* Why the text is refused, or NULL; *at is where then. `deepest`: so deep may brackets be nested, at most JSON_DEEPEST.
 */
const char *json_scan(const unsigned char *text, size_t n, int deepest, struct json_extent *extent, size_t *at);

/* Whether a name stands twice in an object of a text that was scanned; *at is where. `room` has place for
 * JSON_NAME_WORDS of each name. */
#define JSON_NAME_WORDS 4
int json_name_twice(const unsigned char *text, size_t n, size_t names, uint32_t *room, size_t *at);

/* Steps through a text that was scanned: the next byte that is no white space; the end of the string or number that
 * begins here. */
const unsigned char *json_skip(const unsigned char *at, const unsigned char *end);
const unsigned char *json_token_end(const unsigned char *at);

/* Is the number that begins here a whole one, as it is written? */
int json_is_whole(const unsigned char *at);

/* The bytes of UTF-8 that the string between the quotes stands for, written to `to`, which has room for as many as it
 * is long. */
size_t json_unescape(const unsigned char *at, char *to);

#endif
