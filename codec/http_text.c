/*  http_text.c - HTTP/1.1: tokens, values, lists, percent-encoding, queries, hosts */

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "codec/http_parts.h"
#include "core/error.h"
#include "weft.h"

static bool
is_token_char (unsigned char byte)
{
    return isalnum (byte) ? byte < 128 : byte && strchr ("!#$%&'*+-.^_`|~", byte) != NULL;
}

bool
http_is_token (struct http_text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_token_char ((unsigned char) text.data[i]))
            return false;
    return text.size > 0;
}

bool
http_is_value (struct http_text text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char) text.data[i];
        if ((byte < ' ' && byte != '\t') || byte == 127)
            return false;
    }
    return true;
}

bool
http_is_origin (struct http_text text)
{
    size_t scheme = 0, host;
    if (text.size == 4 && memcmp (text.data, "null", 4) == 0)
        return true;
    while (scheme < text.size && (isalnum ((unsigned char) text.data[scheme]) || strchr ("+-.", text.data[scheme])))
        scheme++;
    host = scheme + 3;
    if (!scheme || text.size <= host || memcmp (text.data + scheme, "://", 3) != 0)
        return false;
    for (size_t i = host; i < text.size; i++)
        if ((unsigned char) text.data[i] <= ' ' || strchr ("/?#@,*", text.data[i]))
            return false;
    return true;
}

bool
http_text_is (struct http_text text, const char *word)
{
    return text.size == strlen (word) && strncasecmp (text.data, word, text.size) == 0;
}

struct http_text
http_find_header (const struct http_header *headers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (http_text_is (headers[i].name, name))
            return headers[i].value;
    return (struct http_text) { NULL, 0 };
}

static bool
list_has (struct http_text list, const char *word)
{
    for (;;) {
        const char *comma = list.size ? memchr (list.data, ',', list.size) : NULL;
        struct http_text item = { list.data, comma ? (size_t) (comma - list.data) : list.size };
        while (item.size && (*item.data == ' ' || *item.data == '\t'))
            item.data++, item.size--;
        while (item.size && (item.data[item.size - 1] == ' ' || item.data[item.size - 1] == '\t'))
            item.size--;
        if (http_text_is (item, word))
            return true;
        if (!comma)
            return false;
        list.size -= (size_t) (comma + 1 - list.data);
        list.data = comma + 1;
    }
}

bool
http_header_has (const struct http_header *headers, size_t count, const char *name, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (http_text_is (headers[i].name, name) && list_has (headers[i].value, word))
            return true;
    return false;
}

int
http_hex_of (char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char) (digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

int64_t
http_decode (struct http_text text, bool plus, char *out)
{
    size_t length = 0;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '%') {
            int high = i + 2 < text.size ? http_hex_of (text.data[i + 1]) : -1;
            int low = high < 0 ? -1 : http_hex_of (text.data[i + 2]);
            if (low < 0)
                return error_set (WEFT_EPROTO, "a %% without two hex digits behind it");
            byte = (char) (high * 16 + low);
            i += 2;
        } else if (byte == '+' && plus)
            byte = ' ';
        out[length++] = byte;
    }
    return (int64_t) length;
}

bool
http_query_next (struct http_text *query, struct http_text *name, struct http_text *value)
{
    while (query->size) {
        const char *end = memchr (query->data, '&', query->size);
        struct http_text pair = { query->data, end ? (size_t) (end - query->data) : query->size };
        size_t used = pair.size + (end ? 1 : 0);
        query->data += used;
        query->size -= used;
        if (pair.size == 0)
            continue;
        const char *equals = memchr (pair.data, '=', pair.size);
        *name = (struct http_text) { pair.data, equals ? (size_t) (equals - pair.data) : pair.size };
        *value = equals ? (struct http_text) { equals + 1, (size_t) (pair.data + pair.size - equals) - 1 }
                        : (struct http_text) { pair.data + pair.size, 0 };
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------------- hosts */

struct http_text
http_host_of (struct http_text authority)
{
    static const struct http_text none = { NULL, 0 };
    if (authority.size == 0)
        return none;
    bool bracket = authority.data[0] == '[';
    const char *data = authority.data + bracket, *last = authority.data + authority.size;
    const char *end = bracket ? memchr (data, ']', authority.size - 1) : memchr (data, ':', authority.size);
    if (bracket && !end)
        return none;
    end = end ? end : last;
    const char *port = end + bracket;
    if (port < last && *port++ != ':')
        return none;
    while (port < last)
        if (!isdigit ((unsigned char) *port++))
            return none;
    return (struct http_text) { end > data ? data : NULL, (size_t) (end - data) };
}

bool
http_host_is_fixed (struct http_text host)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[16];
    if (http_text_is (host, "localhost"))
        return true;
    if (host.size == 0 || host.size >= sizeof text)
        return false;
    memcpy (text, host.data, host.size);
    text[host.size] = '\0';
    return inet_pton (AF_INET, text, address) == 1 || inet_pton (AF_INET6, text, address) == 1;
}
