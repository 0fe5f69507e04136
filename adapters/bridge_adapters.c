/*  bridge_adapters.c - the table of adapters */

#include <string.h>

#include "adapters/bridge.h"

extern const struct adapter adapter_tcp, adapter_udp, adapter_http, adapter_ws;

const struct adapter *const bridge_adapters[] = { &adapter_tcp, &adapter_udp, &adapter_http, &adapter_ws, NULL };

const struct adapter *
bridge_adapter_find (const char *name)
{
    for (size_t i = 0; bridge_adapters[i]; i++)
        if (strcmp (bridge_adapters[i]->name, name) == 0)
            return bridge_adapters[i];
    return NULL;
}
