# python3 tools/tfrecord.py <file>...: an independent reader of TFRecord files, which prints the features of examples.
import struct, sys, gzip, zlib

def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF

def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF

def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at

def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 5:
            value, at = data[at:at + 4], at + 4
        else:
            n, at = varint(data, at)
            value, at = data[at:at + n], at + n
        yield key >> 3, value

def feature(data):
    for kind, values in fields(data):
        if kind == 1:
            return [v for _, v in fields(values)]
        packed = b"".join(v for _, v in fields(values))
        if kind == 2:
            return list(struct.unpack("<%df" % (len(packed) // 4), packed))
        at, numbers = 0, []
        while at < len(packed):
            n, at = varint(packed, at)
            numbers.append(n - (n >> 63 << 64))
        return numbers

for path in sys.argv[1:]:
    data = open(path, "rb").read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    elif data[:1] == b"\x78":
        data = zlib.decompress(data)
    at = 0
    while at < len(data):
        head = data[at:at + 8]
        n = struct.unpack("<Q", head)[0]
        body = data[at + 12:at + 12 + n]
        assert struct.unpack("<I", data[at + 8:at + 12])[0] == masked(head), "checksum of the length"
        assert struct.unpack("<I", data[at + 12 + n:at + 16 + n])[0] == masked(body), "checksum of the data"
        at += 16 + n
        for _, features in fields(body):
            print(sorted((dict(fields(entry))[1].decode(), feature(dict(fields(entry))[2]))
                         for _, entry in fields(features)))
