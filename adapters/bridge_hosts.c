/*  bridge_hosts.c - what those who come may call a bridge that listens
 *
 *  A page's own server can make its name mean 127.0.0.1 from one moment to the next ("DNS rebinding"): then a browser
 *  takes what listens here for that server, and lets the page read and send all. The name in Host gives it away. */

#include <string.h>
#include <strings.h>

#include "adapters/bridge_parts.h"
#include "codec/http.h"
#include "core/error.h"

#define SHOWN 200               /*  bytes of a name that are told                                       */

static struct http_text
text_of (const char *word)
{
    return (struct http_text) { word, strlen (word) };
}

/*  Without a port, since it holds for all; an address of IPv6 may be written as in Host. */
static int
check_name (const char *name)
{
    struct http_text host = http_host_of (text_of (name));
    bool bare = host.size == strlen (name), brackets = *name == '[' && host.size + 2 == strlen (name);
    if (http_host_is_fixed (text_of (name)) || (host.size && (bare || brackets) && !strpbrk (name, "/@ ")))
        return 0;
    return error_set (WEFT_EINVAL, "--allow-host %s: say a name alone, as in example.org; it is for all ports", name);
}

int
bridge_hosts_check (const struct adapter *adapter, const struct bridge_config *config)
{
    int rc = 0;
    if (config->allow_host.count && !adapter->hosts)
        return error_set (WEFT_EINVAL, "--allow-host is for http and ws: nobody who comes over %s says a name",
                          adapter->name);
    if (config->allow_host.count && !config->listen.count)
        return error_set (WEFT_EINVAL, "--allow-host is for --listen");
    for (size_t i = 0; i < config->allow_host.count && rc == 0; i++)
        rc = check_name (config->allow_host.items[i]);
    return rc;
}

static bool
is_listed (const struct option_list *list, struct http_text host)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i];
        struct http_text same = *name == '[' ? http_host_of (text_of (name)) : text_of (name);
        if (strcmp (name, "*") == 0
            || (same.size == host.size && strncasecmp (same.data, host.data, host.size) == 0))
            return true;
    }
    return false;
}

int
bridge_host_check (const struct bridge_peer *peer, const char *data, size_t size)
{
    const struct option_list *list = &peer->bridge->setup->bridge.allow_host;
    struct http_text host = http_host_of ((struct http_text) { data, size });
    bool none = list->count == 0, right = peer->loopback ? http_host_is_fixed (host) : none;
    if (!data || right || is_listed (list, host))
        return 0;
    if (!host.data)
        return error_set (WEFT_EACCES, "Host: %.*s: that is no name", (int) (size < SHOWN ? size : SHOWN), data);
    int shown = (int) (host.size < SHOWN ? host.size : SHOWN);
    return error_set (WEFT_EACCES, "nothing here is called %.*s: --allow-host %.*s lets it be called so", shown,
                      host.data, shown, host.data);
}
