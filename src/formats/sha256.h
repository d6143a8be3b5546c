/* sha256.h - the hash by which published files are known (FIPS 180-4). R has it from version 4.5 on only. */
#ifndef SHA256_H
#define SHA256_H

#include "base/nativenet.h"

/* The hash of n bytes, big-endian as it is printed. */
void sha256(const unsigned char *bytes, size_t n, unsigned char hash[32]);

#endif
