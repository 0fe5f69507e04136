/*  metrics_help.c - weft help metrics, and weft-metrics(7): what commands tell, from the tables by which they do */

#include <string.h>

#include "cli/help.h"
#include "cli/metrics.h"

static const char text[] =
    "With --metrics HOST:PORT every command that runs long answers GET /metrics there while it works, in the "
    "text format of Prometheus (0.0.4). With port 0 any free one is taken; the line \"metrics listening on "
    "URL\" says which. /healthz says ok as long as the process lives. Like everything that listens in clear "
    "text it does so on this machine alone, unless --insecure is given.\n\n"
    "Whoever asks is answered by a thread of its own, up to 100 times in a second; then it has to wait. Nothing "
    "that it does, or does not do, holds up the command.\n\n"
    "Numbers are of the process since its start, and a counter never goes back. Those of one answer were read "
    "one after the other, not at one moment; bridges, heads and workers bring theirs up to date when they are "
    "about to wait. A histogram's values below one of its bounds are counted with an error of less than 1/64 of "
    "that bound.\n\n"
    "Times are seconds, sizes are bytes. Labels tell apart what is counted alike: socket (the pattern, or the "
    "side of a proxy: front, back, capture), bridge (the protocol), thread (of a bridge that has "
    "several), pool (head, worker, sink), and part, in front of all others, the name of a part of weft up.";

static const char *const kinds[] = {
    [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"
};

static bool
is_same (const struct metric *metric, const struct metric *other)
{
    return other->name && strcmp (metric->name, other->name) == 0;
}

/*  "counter", and what its own label may be. */
static void
add_kind (const struct metric *family, FILE *out)
{
    fputs (kinds[family->kind], out);
    for (const struct metric *each = family; family->label && is_same (family, each); each++)
        fprintf (out, ", %s%s%s", each == family ? each->label : "", each == family ? " " : "", each->value);
}

void
metrics_help (const struct command *unused, FILE *out)
{
    const struct metric *table;
    const char *about;
    (void) unused;
    fputs ("weft COMMAND --metrics HOST:PORT - numbers for Prometheus, while a command works\n\n", out);
    help_fold (out, "", text, 0);
    for (size_t i = 0; (table = metrics_table (i, &about)); i++) {
        fprintf (out, "\n%s:\n", about);
        for (const struct metric *each = table; each->name; each++) {
            if (!each->text)
                continue;
            fprintf (out, "  %s (", each->name);
            add_kind (each, out);
            fputs (")\n", out);
            help_fold (out, "", each->text, 8);
        }
    }
}

void
manual_metrics (const struct command *unused, FILE *out)
{
    const struct metric *table;
    const char *about;
    (void) unused;
    manual_head (out, 7, "weft-metrics", "numbers for Prometheus, while a command works");
    fputs (".Sh DESCRIPTION\n", out);
    manual_text (out, text);
    for (size_t i = 0; (table = metrics_table (i, &about)); i++) {
        fprintf (out, ".Ss %s\n.Bl -tag -width Ds\n", about);
        for (const struct metric *each = table; each->name; each++) {
            if (!each->text)
                continue;
            fprintf (out, ".It Sy %s Pq ", each->name);
            add_kind (each, out);
            fputc ('\n', out);
            manual_text (out, each->text);
        }
        fputs (".El\n", out);
    }
    fputs (".Sh SEE ALSO\n.Xr weft 1 ,\n.Xr weft-options 7\n", out);
}
