/*  fuzz_endpoint.c - the first byte chooses the side, the rest is a list of endpoints */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/endpoint.h"

int LLVMFuzzerTestOneInput (const unsigned char *data, size_t size);

/*  What was taken is whole, and is taken again. */
static void
check (const struct endpoint *endpoint)
{
    struct endpoint again;
    assert (endpoint_parse (&again, endpoint->text, endpoint->side) == 0);
    assert (again.transport == endpoint->transport && again.port == endpoint->port);
    assert (strcmp (again.host, endpoint->host) == 0 && strcmp (again.source, endpoint->source) == 0);
    assert (strcmp (again.path, endpoint->path) == 0);
    assert (endpoint->port >= 0 && endpoint->port <= 65535);
    assert (endpoint->transport == ENDPOINT_TCP ? endpoint->host[0] && !endpoint->path[0] : endpoint->path[0]);
    endpoint_is_local (endpoint);
}

int
LLVMFuzzerTestOneInput (const unsigned char *data, size_t size)
{
    if (!size)
        return 0;
    enum endpoint_side side = data[0] & 1 ? ENDPOINT_CONNECT : ENDPOINT_BIND;
    char *text = strndup ((const char *) data + 1, size - 1);
    struct endpoint endpoint;
    if (!text)
        return 0;
    if (endpoint_parse (&endpoint, text, side) == 0)
        check (&endpoint);
    const char *list = text, *end = text + strlen (text);
    while (endpoint_next (&list, side, &endpoint) == 1) {
        assert (list <= end);
        check (&endpoint);
    }
    free (text);
    return 0;
}
