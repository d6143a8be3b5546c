/* protobuf.h - messages of Protocol Buffers, read field by field.
 * <https://protobuf.dev/programming-guides/encoding/> */
#ifndef NATIVENET_PROTOBUF_H
#define NATIVENET_PROTOBUF_H

#include <stdint.h>

struct proto {
  const unsigned char *at, *end;
};

enum proto_wire { PROTO_VARINT = 0, PROTO_FIXED64 = 1, PROTO_BYTES = 2, PROTO_FIXED32 = 5 };

struct proto_field {
  uint32_t number;
  int wire;           /* enum proto_wire */
  uint64_t value;     /* of numbers, the bits */
  struct proto bytes; /* PROTO_BYTES */
};

/* Each gives 1 and moves on; 0 at the end; -1 where the bytes are no message. */
int proto_varint(struct proto *p, uint64_t *value);
int proto_next(struct proto *p, struct proto_field *f);

#endif
