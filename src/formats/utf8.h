/* utf8.h - texts from files that say they are UTF-8. */
#ifndef UTF8_H
#define UTF8_H

/* How many bytes the character of UTF-8 has that begins here, 0 if it is none: cut off, overlong, a surrogate, or
 * beyond Unicode. */
static inline int utf8_length(const unsigned char *at, const unsigned char *end) {
  if (at[0] < 0x80) return 1;
  int n = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
  if (at[0] < 0xc2 || at[0] > 0xf4 || end - at < n) return 0;
  for (int i = 1; i < n; i++) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  int overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
  int none = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
  return overlong || none ? 0 : n;
}

#endif
