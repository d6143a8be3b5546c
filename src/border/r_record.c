/* r_record.c - TFRecord files and the messages in them: examples, tensors. */
#include "border/r_border.h"
#include "formats/crc.h"
#include "formats/protobuf.h"
#include "formats/utf8.h"

#include <string.h>

/* CRC-32 of bytes, by the polynomial of zip archives or by Castagnoli's. */
SEXP ffi_crc32(SEXP bytes, SEXP castagnoli);
SEXP ffi_crc32(SEXP bytes, SEXP castagnoli) {
  check_vector(bytes, RAWSXP, -1);
  return Rf_ScalarReal((double)crc_of(RAW(bytes), (size_t)XLENGTH(bytes), as_int(castagnoli) ? CRC_CASTAGNOLI :
    CRC_ZIP));
}

static SEXP raw_of(const unsigned char *from, size_t n) {
  SEXP x = Rf_allocVector(RAWSXP, (R_xlen_t)n);
  if (n) memcpy(RAW(x), from, n);
  return x;
}

static uint64_t little_endian(const unsigned char *from, int bytes) {
  uint64_t x = 0;
  for (int i = 0; i < bytes; i++) x |= (uint64_t)from[i] << (8 * i);
  return x;
}

enum { HEAD_BYTES = 12, TAIL_BYTES = 4 }; /* a length and its sum; the sum of the data */
enum { FAULT_NONE, FAULT_LENGTH, FAULT_DATA };

/* The record that begins here: its data; 0 if it is not there as a whole, and *needed says how many bytes it takes. */
static int next_record(struct proto *p, struct proto *data, double *needed, int *fault) {
  *needed = HEAD_BYTES;
  if (p->end - p->at < HEAD_BYTES) return 0;
  if (little_endian(p->at + 8, 4) != crc_masked(p->at, 8)) return (*fault = FAULT_LENGTH), 0;
  uint64_t n = little_endian(p->at, 8);
  *needed = (double)n + HEAD_BYTES + TAIL_BYTES;
  if (*needed > (double)(p->end - p->at)) return 0;
  *data = (struct proto){p->at + HEAD_BYTES, p->at + HEAD_BYTES + n};
  if (little_endian(data->end, 4) != crc_masked(data->at, (size_t)n)) return (*fault = FAULT_DATA), 0;
  p->at = data->end + TAIL_BYTES;
  return 1;
}

/* list(the whole records in the bytes from `from` (counted from 0) on, c(bytes that these are, bytes that the next
 * record takes as far as is known, what is wrong with it)) */
SEXP ffi_records(SEXP bytes, SEXP from);
SEXP ffi_records(SEXP bytes, SEXP from) {
  check_vector(bytes, RAWSXP, -1);
  double begin = as_number(from), needed;
  if (!(begin >= 0 && begin <= (double)XLENGTH(bytes))) raise_text(STATUS_VALUE, "internal error: records");
  struct proto all = {RAW(bytes) + (size_t)begin, RAW(bytes) + XLENGTH(bytes)}, data, p = all;
  int fault = FAULT_NONE;
  R_xlen_t n = 0;
  while (next_record(&p, &data, &needed, &fault)) n++;
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 2)), records = Rf_allocVector(VECSXP, n);
  SET_VECTOR_ELT(result, 0, records);
  p = all;
  for (R_xlen_t k = 0; k < n; k++) {
    next_record(&p, &data, &needed, &fault);
    SET_VECTOR_ELT(records, k, raw_of(data.at, (size_t)(data.end - data.at)));
  }
  next_record(&p, &data, &needed, &fault);
  SEXP numbers = Rf_allocVector(REALSXP, 3);
  SET_VECTOR_ELT(result, 1, numbers);
  REAL(numbers)[0] = (double)(p.at - all.at);
  REAL(numbers)[1] = needed;
  REAL(numbers)[2] = fault;
  UNPROTECT(1);
  return result;
}

/* ---- examples: tensorflow/core/example/example.proto, feature.proto ---- */

enum feature_kind { FEATURE_EMPTY, FEATURE_BYTES, FEATURE_FLOATS, FEATURE_INTS };

/* How many values the lists of a feature have, and which kind; -1 if it is malformed. With `to` they are put there. */
static int64_t feature_values(struct proto p, int *kind, void *to) {
  static const int wire[] = {0, PROTO_BYTES, PROTO_FIXED32, PROTO_VARINT};
  struct proto_field f, v, one;
  int64_t n = 0;
  int there;
  while ((there = proto_next(&p, &f)) == 1) {
    if (f.number > FEATURE_INTS || f.wire != PROTO_BYTES) continue;
    if (*kind && *kind != (int)f.number) return -1;
    *kind = (int)f.number;
    while ((there = proto_next(&f.bytes, &v)) == 1) {
      if (v.number != 1) continue;
      int packed = *kind != FEATURE_BYTES && v.wire == PROTO_BYTES;
      if (!packed && v.wire != wire[*kind]) return -1;
      for (one = v; !packed || one.bytes.at < one.bytes.end; n++) {
        if (packed && *kind == FEATURE_INTS && proto_varint(&one.bytes, &one.value) != 1) return -1;
        if (packed && *kind == FEATURE_FLOATS) {
          if (one.bytes.end - one.bytes.at < 4) return -1;
          one.value = little_endian(one.bytes.at, 4);
          one.bytes.at += 4;
        }
        uint32_t bits = (uint32_t)one.value;
        if (to && *kind == FEATURE_BYTES) SET_VECTOR_ELT(to, (R_xlen_t)n, raw_of(one.bytes.at, (size_t)one.value));
        else if (to && *kind == FEATURE_FLOATS) memcpy((float *)to + n, &bits, sizeof bits);
        else if (to) ((int64_t *)to)[n] = (int64_t)one.value;
        if (!packed) {
          n++;
          break;
        }
      }
    }
    if (there) return -1;
  }
  return there ? -1 : n;
}

/* NULL (no values of any kind), a list of raw vectors, or a float32 or int64 tensor; R_UnboundValue if malformed. */
static SEXP feature_of(struct proto p) {
  int kind = FEATURE_EMPTY;
  int64_t n = feature_values(p, &kind, NULL);
  if (n < 0) return R_UnboundValue;
  if (kind == FEATURE_EMPTY) return R_NilValue;
  struct shape shape = {1, {n}};
  struct tensor t = {.data = NULL};
  SEXP x = PROTECT(kind == FEATURE_BYTES ? Rf_allocVector(VECSXP, (R_xlen_t)n) :
    tensor_new(kind == FEATURE_FLOATS ? FLOAT32 : INT64, &shape, &t));
  feature_values(p, &kind, kind == FEATURE_BYTES ? (void *)x : t.data);
  UNPROTECT(1);
  return x;
}

static SEXP key_of(struct proto p) {
  for (const unsigned char *at = p.at; at < p.end;) {
    int n = *at ? utf8_length(at, p.end) : 0;
    if (!n) return NULL;
    at += n;
  }
  return Rf_mkCharLenCE((const char *)p.at, (int)(p.end - p.at), CE_UTF8);
}

/* An entry of a map: field 1 is the key, 2 the value. */
static int entry_of(struct proto p, struct proto *key, struct proto *value) {
  struct proto_field f;
  int there;
  *key = *value = (struct proto){p.end, p.end};
  while ((there = proto_next(&p, &f)) == 1) {
    if (f.number <= 2 && f.wire != PROTO_BYTES) return 0;
    if (f.number == 1) *key = f.bytes;
    if (f.number == 2) *value = f.bytes;
  }
  return there == 0;
}

/* How many entries the features of an example have, -1 if it is malformed; with lists for them, the entries. */
static R_xlen_t features_of(struct proto p, SEXP names, SEXP values) {
  struct proto_field features, f;
  struct proto key, value;
  R_xlen_t n = 0;
  int there;
  while ((there = proto_next(&p, &features)) == 1) {
    if (features.number != 1) continue;
    if (features.wire != PROTO_BYTES) return -1;
    while ((there = proto_next(&features.bytes, &f)) == 1) {
      if (f.number != 1) continue;
      if (f.wire != PROTO_BYTES || !entry_of(f.bytes, &key, &value)) return -1;
      if (names) {
        SEXP name = key_of(key);
        if (!name) return -1;
        SET_STRING_ELT(names, n, name); /* which protects it */
        SEXP x = feature_of(value);
        if (x == R_UnboundValue) return -1;
        SET_VECTOR_ELT(values, n, x);
      }
      n++;
    }
    if (there) return -1;
  }
  return there ? -1 : n;
}

/* The features of an example, a named list; NULL if the bytes are none. Of a name that stands twice the last counts. */
SEXP ffi_example(SEXP bytes);
SEXP ffi_example(SEXP bytes) {
  check_vector(bytes, RAWSXP, -1);
  struct proto p = {RAW(bytes), RAW(bytes) + XLENGTH(bytes)};
  R_xlen_t n = features_of(p, NULL, NULL);
  if (n < 0) return R_NilValue;
  SEXP values = PROTECT(Rf_allocVector(VECSXP, n)), names = PROTECT(Rf_allocVector(STRSXP, n));
  Rf_setAttrib(values, R_NamesSymbol, names);
  n = features_of(p, names, values);
  UNPROTECT(2);
  return n < 0 ? R_NilValue : values;
}

/* ---- any message ---- */

/* list(numbers of the fields, values: raw vectors, or doubles with the value of a varint as signed, or raw vectors of
 * fixed numbers); NULL if the bytes are no message */
SEXP ffi_proto_fields(SEXP bytes);
SEXP ffi_proto_fields(SEXP bytes) {
  check_vector(bytes, RAWSXP, -1);
  struct proto all = {RAW(bytes), RAW(bytes) + XLENGTH(bytes)}, p = all;
  struct proto_field f;
  R_xlen_t n = 0;
  int there;
  while ((there = proto_next(&p, &f)) == 1) n++;
  if (there) return R_NilValue;
  SEXP result = PROTECT(Rf_allocVector(VECSXP, 2)), numbers = Rf_allocVector(INTSXP, n);
  SET_VECTOR_ELT(result, 0, numbers);
  SEXP values = Rf_allocVector(VECSXP, n);
  SET_VECTOR_ELT(result, 1, values);
  p = all;
  for (R_xlen_t k = 0; k < n; k++) {
    proto_next(&p, &f);
    INTEGER(numbers)[k] = (int)f.number;
    int fixed = f.wire == PROTO_FIXED64 ? 8 : f.wire == PROTO_FIXED32 ? 4 : 0;
    SET_VECTOR_ELT(values, k, f.wire == PROTO_VARINT ? Rf_ScalarReal((double)(int64_t)f.value) :
      fixed ? raw_of(p.at - fixed, (size_t)fixed) : raw_of(f.bytes.at, (size_t)f.value));
  }
  UNPROTECT(1);
  return result;
}

/* The varints of an int64 tensor, one after the other; or of a raw vector the tensor, NULL if these are none. */
SEXP ffi_varints(SEXP x);
SEXP ffi_varints(SEXP x) {
  if (TYPEOF(x) != RAWSXP) {
    struct tensor t = as_tensor(x);
    if (t.dtype != INT64) raise_text(STATUS_VALUE, "internal error: varints");
    const int64_t *from = t.data;
    int64_t n = shape_count(&t.shape);
    SEXP bytes = PROTECT(vector_for(RAWSXP, 10 * n, "whole numbers as bytes", NULL));
    unsigned char *to = RAW(bytes);
    for (int64_t i = 0; i < n; i++) {
      uint64_t left = (uint64_t)from[i];
      for (; left >= 0x80; left >>= 7) *to++ = (unsigned char)(left | 0x80);
      *to++ = (unsigned char)left;
    }
    SEXP result = raw_of(RAW(bytes), (size_t)(to - RAW(bytes)));
    UNPROTECT(1);
    return result;
  }
  struct proto p = {RAW(x), RAW(x) + XLENGTH(x)};
  struct shape shape = {1, {0}};
  struct tensor t;
  uint64_t value;
  for (const unsigned char *at = p.at; at < p.end; at++) shape.dim[0] += *at < 0x80;
  SEXP result = PROTECT(tensor_new(INT64, &shape, &t));
  int there;
  for (int64_t k = 0; (there = proto_varint(&p, &value)) == 1; k++) ((int64_t *)t.data)[k] = (int64_t)value;
  UNPROTECT(1);
  return there ? R_NilValue : result;
}
