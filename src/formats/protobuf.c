#include "formats/protobuf.h"

#include <stddef.h>

int proto_varint(struct proto *p, uint64_t *value) {
  if (p->at == p->end) return 0;
  *value = 0;
  for (int shift = 0; shift < 70 && p->at < p->end; shift += 7) {
    unsigned char byte = *p->at++;
    if (shift == 63 && byte > 1) return -1;
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return 1;
  }
  return -1;
}

static int fixed(struct proto *p, int bytes, uint64_t *value) {
  if (p->end - p->at < bytes) return -1;
  *value = 0;
  for (int i = 0; i < bytes; i++) *value |= (uint64_t)*p->at++ << (8 * i);
  return 1;
}

int proto_next(struct proto *p, struct proto_field *f) {
  uint64_t key;
  int there = proto_varint(p, &key);
  if (there != 1) return there;
  f->wire = (int)(key & 7);
  f->value = 0;
  f->bytes = (struct proto){NULL, NULL};
  if (key >> 3 == 0 || key >> 3 > 0x1fffffff) return -1;
  f->number = (uint32_t)(key >> 3);
  switch (f->wire) {
  case PROTO_VARINT: return proto_varint(p, &f->value) == 1 ? 1 : -1;
  case PROTO_FIXED64: return fixed(p, 8, &f->value);
  case PROTO_FIXED32: return fixed(p, 4, &f->value);
  case PROTO_BYTES:
    if (proto_varint(p, &f->value) != 1 || f->value > (uint64_t)(p->end - p->at)) return -1;
    f->bytes = (struct proto){p->at, p->at + f->value};
    p->at = f->bytes.end;
    return 1;
  default: return -1; /* groups, which no format of ours has */
  }
}
