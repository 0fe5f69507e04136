/*  crc32.h - the checksum of zlib, PNG and Ethernet: finds bytes that are not as they were written */
#ifndef WEFT_CORE_CRC32_H
#define WEFT_CORE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/*  Goes on from `crc`, which is 0 before the first bytes. Any thread. */
uint32_t crc32_add (uint32_t crc, const void *data, size_t size);

#endif
