/*  info.c - the option tables of sockets, proxies and pools, for those who describe them to others */

#include <pthread.h>
#include <string.h>

#include "core/error.h"
#include "patterns/info.h"
#include "patterns/pattern.h"

#define RANGE_MAX 64
#define OPTIONS_MAX 32          /*  of one kind */

static const struct kind {
    const char *name;
    const struct pattern *pattern;
    const struct option *options;
} kinds[] = {
    { "req", &pattern_req, NULL }, { "rep", &pattern_rep, NULL }, { "pub", &pattern_pub, NULL },
    { "sub", &pattern_sub, NULL }, { "push", &pattern_push, NULL }, { "pull", &pattern_pull, NULL },
    { "proxy", NULL, proxy_options }, { "pool", NULL, pool_options }, { "worker", NULL, worker_options },
    { "sink", NULL, sink_options }
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/*  The strings that are handed out are constants, but ranges are made from numbers. */
static char ranges[KINDS][OPTIONS_MAX][RANGE_MAX];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/*  The option at `index`: a pattern's own come first. */
static const struct option *
option_at (const struct kind *kind, size_t index)
{
    const struct option *tables[] = { kind->pattern ? kind->pattern->options : kind->options,
                                      kind->pattern ? socket_options : NULL, security_options };
    for (size_t t = 0; t < 3 && index < OPTIONS_MAX; t++)
        for (const struct option *option = tables[t]; option && option->name; option++)
            if (index-- == 0)
                return option;
    return NULL;
}

static void
make_ranges (void)
{
    const struct option *option;
    for (size_t k = 0; k < KINDS; k++)
        for (size_t i = 0; (option = option_at (&kinds[k], i)); i++)
            option_range (option, ranges[k][i], RANGE_MAX);
}

void
info_fill (const struct option *option, const char *range, weft_option_info_t *info)
{
    *info = (weft_option_info_t) {
        .name = option->name,
        .argument = option->argument,
        .standard = option->standard,
        .range = range,
        .text = option->text,
        .live = option->flags & OPTION_LIVE,
        .repeatable = option->type == OPTION_LIST
    };
}

int
info_end (const char *kind)
{
    return error_set (WEFT_EEND, "%s: has no more options", kind);
}

int
info_option (const char *name, size_t index, weft_option_info_t *info)
{
    size_t k = 0;
    while (k < KINDS && strcmp (kinds[k].name, name) != 0)
        k++;
    if (k == KINDS)
        return error_set (WEFT_EINVAL, "%s: no such kind of handle", name);
    pthread_once (&once, make_ranges);
    const struct option *option = option_at (&kinds[k], index);
    if (!option)
        return info_end (name);
    info_fill (option, ranges[k][index], info);
    return 0;
}
