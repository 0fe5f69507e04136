/*  pool_wire_token.c - the msgpack of the pool's messages, token by token
 *
 *  Not by msgpack-c, which reserves what a count promises before it looks for the members. */

#include "codec/pool_wire_parts.h"

#include "core/error.h"

/*  A big-endian number of `size` bytes; false when they are not there. */
static bool
take_number (struct pool_reader *in, size_t size, uint64_t *number)
{
    if ((size_t) (in->end - in->at) < size)
        return false;
    *number = 0;
    while (size--)
        *number = *number << 8 | *in->at++;
    return true;
}

static struct token
take_bytes (struct pool_reader *in, enum token_type type, uint64_t size)
{
    struct token token = { TOKEN_BAD, size, (const char *) in->at };
    if (size <= (uint64_t) (in->end - in->at)) {
        token.type = type;
        in->at += size;
    }
    return token;
}

static struct token
take_signed (struct pool_reader *in, size_t size)
{
    struct token token = { TOKEN_BAD, 0, NULL };
    if (!take_number (in, size, &token.number))
        return token;
    unsigned unused = (unsigned) (64 - 8 * size);
    int64_t number = (int64_t) (token.number << unused) >> unused;
    token.type = number < 0 ? TOKEN_NEGATIVE : TOKEN_UINT;
    token.number = (uint64_t) number;
    return token;
}

/*  A length of `size` bytes, then that and `extra` bytes. */
static struct token
take_sized (struct pool_reader *in, enum token_type type, size_t size, size_t extra)
{
    uint64_t length;
    if (!take_number (in, size, &length))
        return (struct token) { TOKEN_BAD, 0, NULL };
    return take_bytes (in, type, length + extra);
}

static struct token
take_counted (struct pool_reader *in, enum token_type type, size_t size)
{
    struct token token = { type, 0, NULL };
    if (!take_number (in, size, &token.number))
        token.type = TOKEN_BAD;
    return token;
}

/*  Forms of 0xc0 to 0xdf, by the msgpack specification. */
static struct token
take_long (struct pool_reader *in, unsigned char first)
{
    switch (first) {
    case 0xc0:                                  /*  nil                     */
        return (struct token) { TOKEN_NIL, 0, NULL };
    case 0xc2: case 0xc3:                       /*  false, true             */
        return (struct token) { TOKEN_OTHER, 0, NULL };
    case 0xc4: case 0xc5: case 0xc6:            /*  bin 8, 16, 32           */
        return take_sized (in, TOKEN_BYTES, (size_t) 1 << (first - 0xc4), 0);
    case 0xc7: case 0xc8: case 0xc9:            /*  ext 8, 16, 32           */
        return take_sized (in, TOKEN_OTHER, (size_t) 1 << (first - 0xc7), 1);
    case 0xca:                                  /*  float                   */
        return take_bytes (in, TOKEN_OTHER, 4);
    case 0xcb:                                  /*  double                  */
        return take_bytes (in, TOKEN_OTHER, 8);
    case 0xcc: case 0xcd: case 0xce: case 0xcf: /*  uint 8, 16, 32, 64      */
        return take_counted (in, TOKEN_UINT, (size_t) 1 << (first - 0xcc));
    case 0xd0: case 0xd1: case 0xd2: case 0xd3: /*  int 8, 16, 32, 64       */
        return take_signed (in, (size_t) 1 << (first - 0xd0));
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8:      /*  fixext  */
        return take_bytes (in, TOKEN_OTHER, ((uint64_t) 1 << (first - 0xd4)) + 1);
    case 0xd9: case 0xda: case 0xdb:            /*  str 8, 16, 32           */
        return take_sized (in, TOKEN_BYTES, (size_t) 1 << (first - 0xd9), 0);
    case 0xdc: case 0xdd:                       /*  array 16, 32            */
        return take_counted (in, TOKEN_ARRAY, (size_t) 2 << (first - 0xdc));
    case 0xde: case 0xdf:                       /*  map 16, 32              */
        return take_counted (in, TOKEN_MAP, (size_t) 2 << (first - 0xde));
    default:                                    /*  0xc1: never used        */
        return (struct token) { TOKEN_BAD, 0, NULL };
    }
}

struct token
token_take (struct pool_reader *in)
{
    if (in->at == in->end)
        return (struct token) { TOKEN_BAD, 0, NULL };
    unsigned char first = *in->at++;
    if (first < 0x80)
        return (struct token) { TOKEN_UINT, first, NULL };
    if (first < 0x90)
        return (struct token) { TOKEN_MAP, first & 0x0f, NULL };
    if (first < 0xa0)
        return (struct token) { TOKEN_ARRAY, first & 0x0f, NULL };
    if (first < 0xc0)
        return take_bytes (in, TOKEN_BYTES, first & 0x1f);
    if (first < 0xe0)
        return take_long (in, first);
    return (struct token) { TOKEN_NEGATIVE, (uint64_t) (int64_t) (first - 256), NULL };
}

const char *
token_skip (struct pool_reader *in)
{
    uint64_t open[POOL_DEPTH + 1] = { 1 };     /*  members still to come, a level */
    int depth = 0;
    while (depth >= 0) {
        if (!open[depth]) {
            depth--;
            continue;
        }
        open[depth]--;
        struct token token = token_take (in);
        if (token.type == TOKEN_BAD)
            return "it is cut off or not msgpack";
        if (token.type != TOKEN_ARRAY && token.type != TOKEN_MAP)
            continue;
        uint64_t members = token.type == TOKEN_MAP ? 2 * token.number : token.number;
        if (members > (uint64_t) (in->end - in->at))
            return "it promises more members than it has bytes";
        if (++depth > POOL_DEPTH)
            return "it is nested too deep";
        open[depth] = members;
    }
    return NULL;
}

int
pool_scan (const void *data, size_t size)
{
    struct pool_reader in = { data, (const unsigned char *) data + size, false };
    const char *wrong = token_skip (&in);
    if (!wrong && in.at != in.end)
        wrong = "bytes follow its end";
    return wrong ? error_set (WEFT_EPROTO, "not a pool message: %s", wrong) : 0;
}
