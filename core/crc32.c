/*  crc32.c - the checksum of zlib, PNG and Ethernet, eight bytes at a time */

#include "core/crc32.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0xedb88320u          /*  ISO 3309, reflected */

enum { LANES = 8 };

static uint32_t table[LANES][256];      /*  [n]: of a byte with n zeros behind it */

static void
fill_table (void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
        table[0][byte] = crc;
    }
    for (int lane = 1; lane < LANES; lane++)
        for (int byte = 0; byte < 256; byte++)
            table[lane][byte] = table[lane - 1][byte] >> 8 ^ table[0][table[lane - 1][byte] & 0xff];
}

uint32_t
crc32_add (uint32_t crc, const void *data, size_t size)
{
    static pthread_once_t filled = PTHREAD_ONCE_INIT;
    const unsigned char *bytes = data;
    pthread_once (&filled, fill_table);
    crc = ~crc;
    for (; size >= LANES; size -= LANES, bytes += LANES) {
        uint32_t low = crc ^ ((uint32_t) bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16
                              | (uint32_t) bytes[3] << 24);
        crc = table[7][low & 0xff] ^ table[6][low >> 8 & 0xff] ^ table[5][low >> 16 & 0xff] ^ table[4][low >> 24]
            ^ table[3][bytes[4]] ^ table[2][bytes[5]] ^ table[1][bytes[6]] ^ table[0][bytes[7]];
    }
    for (; size; size--, bytes++)
        crc = crc >> 8 ^ table[0][(crc ^ *bytes) & 0xff];
    return ~crc;
}
