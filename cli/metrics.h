/*  metrics.h - --metrics: what every command that runs long can be asked while it works
 *
 *  A meter is a command's part in it: what it can tell of itself goes into a registry, and a thread of its own answers
 *  whoever asks (scrape.h). Without --metrics none of it is there, and all calls do nothing. */
#ifndef WEFT_CLI_METRICS_H
#define WEFT_CLI_METRICS_H

#include "cli/command.h"
#include "core/metrics.h"

struct metrics_options {
    char *address;
};

/*  A table of every such command, beside the one for security. */
extern const struct option metrics_options[];
#define METRICS_TABLE { .title = "Metrics", .table = metrics_options }

struct meter {
    struct metrics *metrics;        /*  NULL: nobody is to be told                      */
    struct metrics *own;            /*  that, when it is not the cli's                  */
    struct scrape *scrape;
    const char *part;               /*  the cli's: a label of all that is told; or NULL */
    uint64_t started;               /*  of the process: ns since 1970                   */
    struct metrics_entry **entries;
    size_t count;
};

/*  Zeroed before. Without an address of its own it tells the cli's registry, if that has one. Listens, beyond loopback
 *  only with `insecure`; with the process as its first source. */
int meter_begin (struct meter *self, struct cli *cli, const struct metrics_options *options, bool insecure);
bool meter_is_on (const struct meter *self);

/*  What can be seen of the address without listening there: 0, or WEFT_EINVAL, WEFT_EACCES. */
int meter_check (const struct metrics_options *options, bool insecure);

/*  For a trial (trial.h), which ends with `status`: that, or EXIT_USAGE after having said what is wrong. */
int meter_try (struct cli *cli, const struct metrics_options *options, bool insecure, int status);

/*  What is read has to live until meter_end, which comes before it is freed and may come twice. */
int meter_add (struct meter *self, const struct metric_source *source);

/*  All sources are there: says where it listens, and begins to answer. After secure_begin, since it starts a thread. */
int meter_ready (struct meter *self, struct cli *cli);
void meter_end (struct meter *self);

/*  "half within 0.1 ms, 99% within 2 ms, all within 3 ms": for what a command says in the end. There are some. */
struct buffer;
struct histogram;
void meter_add_times (struct buffer *text, const struct histogram *times);

/*  All that any command tells, one after the other: tables of core/metrics.h, with what they are about; NULL past the
 *  last. */
const struct metric *metrics_table (size_t index, const char **about);

#endif
