/*  pool_wire_parts.h - what the files of the pool's messages have in common, and nobody else sees */
#ifndef WEFT_CODEC_POOL_WIRE_PARTS_H
#define WEFT_CODEC_POOL_WIRE_PARTS_H

#include "codec/pool_wire.h"

#define POOL_RECORD_COMMON 7    /*  members that all records have           */

/*  All members of a record of that kind. */
size_t pool_record_members (int kind);

/*  One msgpack token: a number, the size of a string, or the count of a list. */
enum token_type {
    TOKEN_BAD,          /*  cut off, or the byte that msgpack never uses    */
    TOKEN_UINT,         /*  number, 0 and up                                */
    TOKEN_NEGATIVE,     /*  number as int64_t                               */
    TOKEN_BYTES,        /*  str or bin: data, number bytes                  */
    TOKEN_ARRAY,        /*  number members follow                           */
    TOKEN_MAP,          /*  number pairs follow                             */
    TOKEN_NIL,
    TOKEN_OTHER         /*  bool, float, ext: carries nothing we use        */
};

struct token {
    enum token_type type;
    uint64_t number;
    const char *data;
};

/*  The next one; TOKEN_BAD past the end. */
struct token token_take (struct pool_reader *in);

/*  Walks over one object. Returns NULL, or what is wrong with it. */
const char *token_skip (struct pool_reader *in);

#endif
