/*  bridge_info.c - weft_option_info: the options of every handle, those of bridges among them */

#include <pthread.h>

#include "adapters/bridge_handle.h"
#include "patterns/info.h"

enum { PROTOCOLS = 8, OPTIONS = 128, RANGE_SIZE = 64 };

/*  The strings that are handed out are constants, but ranges are made from numbers. */
static char ranges[PROTOCOLS][OPTIONS][RANGE_SIZE];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_ranges (void)
{
    const struct option *option;
    for (size_t p = 0; p < PROTOCOLS && bridge_adapters[p]; p++)
        for (size_t i = 0; i < OPTIONS && (option = bridge_handle_option (bridge_adapters[p], i)); i++)
            option_range (option, ranges[p][i], RANGE_SIZE);
}

int
weft_option_info (const char *kind, size_t index, weft_option_info_t *info)
{
    const struct adapter *adapter = bridge_adapter_find (kind);
    if (!adapter)
        return info_option (kind, index, info);
    const struct option *option = index < OPTIONS ? bridge_handle_option (adapter, index) : NULL;
    size_t p = 0;
    while (p + 1 < PROTOCOLS && bridge_adapters[p] != adapter)
        p++;
    if (!option)
        return info_end (kind);
    pthread_once (&once, make_ranges);
    info_fill (option, ranges[p][index], info);
    return 0;
}
