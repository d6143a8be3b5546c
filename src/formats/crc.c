#include "formats/crc.h"

uint32_t crc_of(const unsigned char *bytes, size_t n, uint32_t polynomial) {
  uint32_t table[256], sum = 0xffffffffu;
  for (uint32_t i = 0; i < 256; i++) {
    table[i] = i;
    for (int k = 0; k < 8; k++) table[i] = table[i] >> 1 ^ (table[i] & 1 ? polynomial : 0);
  }
  for (size_t i = 0; i < n; i++) sum = sum >> 8 ^ table[(sum ^ bytes[i]) & 0xff];
  return sum ^ 0xffffffffu;
}
