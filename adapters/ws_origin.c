/*  ws_origin.c - which pages may connect (RFC 6455, 10.2)
 *
 *  A browser lets any page open a WebSocket to anywhere, with the user's own network behind it: that the page may is
 *  for the server to say. By itself it lets in pages that it has given out itself, by an address or as localhost. A
 *  name proves nothing: whoever owns one can have it mean 127.0.0.1 ("DNS rebinding"), so names have to be allowed. */

#include <string.h>
#include <strings.h>

#include "adapters/ws_parts.h"
#include "core/error.h"

#define HOST_MAX 256

static bool
is (struct http_text text, const char *word)
{
    return text.size == strlen (word) && strncasecmp (text.data, word, text.size) == 0;
}

/*  Without scheme. data NULL: it is no origin of a page, "null" or a file. */
static struct http_text
authority_of (struct http_text origin)
{
    static const char *const schemes[] = { "http://", "https://" };
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen (schemes[i]);
        if (origin.size > size && strncasecmp (origin.data, schemes[i], size) == 0)
            return (struct http_text) { origin.data + size, origin.size - size };
    }
    return (struct http_text) { 0 };
}

static bool
listed (const struct option_list *list, struct http_text origin)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp (list->items[i], "*") == 0 || is (origin, list->items[i]))
            return true;
    return false;
}

int
ws_origins_check (const struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        if (strcmp (item, "*") != 0 && !http_is_origin ((struct http_text) { item, strlen (item) }))
            return error_set (WEFT_EINVAL, "--allow-origin %s: an origin is as https://example.org, without a path; "
                              "* is for all", item);
    }
    return 0;
}

int
ws_origin_check (const struct option_list *list, struct http_text origin, struct http_text host)
{
    if (!origin.data || listed (list, origin))
        return 0;                       /*  no browser: it could say what it likes                      */
    struct http_text authority = authority_of (origin);
    bool own = authority.data && host.data && authority.size == host.size
               && strncasecmp (authority.data, host.data, host.size) == 0
               && http_host_is_fixed (http_host_of (authority));
    if (own && list->count == 0)
        return 0;
    return error_set (WEFT_EACCES, "pages of %.*s may not connect here: --allow-origin %.*s lets them",
                      (int) (origin.size < HOST_MAX ? origin.size : HOST_MAX), origin.data,
                      (int) (origin.size < HOST_MAX ? origin.size : HOST_MAX), origin.data);
}
