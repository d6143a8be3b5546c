/* crc.h - cyclic redundancy checks of 32 bits, of polynomials that are written with their lowest power first. */
#ifndef NATIVENET_CRC_H
#define NATIVENET_CRC_H

#include <stddef.h>
#include <stdint.h>

#define CRC_ZIP 0xedb88320u        /* of zip and gzip */
#define CRC_CASTAGNOLI 0x82f63b78u /* of TFRecord files, which mask it */

uint32_t crc_of(const unsigned char *bytes, size_t n, uint32_t polynomial);

/* As TFRecord files have it: rotated by 15 bits, and a number added.
 * <https://www.tensorflow.org/tutorials/load_data/tfrecord> */
static inline uint32_t crc_masked(const unsigned char *bytes, size_t n) {
  uint32_t sum = crc_of(bytes, n, CRC_CASTAGNOLI);
  return (sum >> 15 | sum << 17) + 0xa282ead8u;
}

#endif
