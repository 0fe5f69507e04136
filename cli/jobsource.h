/*  jobsource.h - the arguments of job after job, from words, files and standard input (jobinput.h)
 *
 *  GNU parallel's input: every ::: , :::: and -a is a source; several give all
 *  combinations, the last the fastest; one that is linked (:::+ , ::::+) goes along
 *  with the source before it. The first source is streamed, the others are kept
 *  in memory, up to JOBINPUT_KEPT_MAX. */
#ifndef WEFT_CLI_JOBSOURCE_H
#define WEFT_CLI_JOBSOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/arglist.h"

struct jobsource_config {
    const char *delimiter;      /*  of files, as typed; NULL: newline                           */
    const char *colsep;         /*  NULL: a value is one argument; see columns.h                */
    bool skip_blank;            /*  values of nothing but white space are passed over           */
    bool link;                  /*  sources go in step, the shorter ones over again             */
    int64_t per_job;            /*  values (combinations) a job takes; 0: it takes one, and gets none */
    bool header;                /*  the first value of each source is no value but names it     */
    bool shuffle;               /*  combinations come in random order, when all are known       */
};

struct jobsource;

/*  NULL with the reason kept. */
struct jobsource *jobsource_new (const struct jobsource_config *config);
void jobsource_destroy (struct jobsource **self);

/*  `words` are the caller's, and must outlive the source. */
int jobsource_add_words (struct jobsource *self, char *const *words, size_t count, bool linked);

/*  "-" is the descriptor `in`, and can be given once. */
int jobsource_add_file (struct jobsource *self, const char *path, int in, bool linked);

/*  The files one after the other, as one source. `paths` must outlive it. */
int jobsource_add_chain (struct jobsource *self, char *const *paths, size_t count, int in);

/*  With a header, and before the first jobsource_next: the names of the columns, or of the
 *  sources. Never waits: 1; 0: nothing yet, wait until jobsource_fd can be read; or an error. */
int jobsource_header (struct jobsource *self, struct arglist *names);

/*  Never waits. 1: `args` holds the arguments of the next job; 0: nothing yet,
 *  wait until jobsource_fd can be read; WEFT_EEND; or an error, which ends it. */
int jobsource_next (struct jobsource *self, struct arglist *args);
int jobsource_fd (const struct jobsource *self);

/*  How many jobs there are in all, if that can be told; reads plain files once
 *  for it. Call it before the first jobsource_next. */
bool jobsource_count (const struct jobsource *self, uint64_t *count);

#endif
