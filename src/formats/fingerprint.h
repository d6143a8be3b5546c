/* fingerprint.h - two hashes of bytes that are the same on each machine: TensorFlow's, of strings. */
#ifndef FINGERPRINT_H
#define FINGERPRINT_H

#include "base/nativenet.h"

/* Fingerprint64 of FarmHash: G. Pike, https://github.com/google/farmhash */
uint64_t fingerprint64(const unsigned char *bytes, size_t n);

/* SipHash-2-4: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", Indocrypt 2012. */
uint64_t siphash64(const uint64_t key[2], const unsigned char *bytes, size_t n);

#endif
