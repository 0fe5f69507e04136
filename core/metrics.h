/*  metrics.h - what a program can be asked about itself while it works
 *
 *  A source is a struct of values, a table that says what each of its fields is, and a function that fills it when
 *  somebody asks: so what nobody asks for costs nothing. A registry has the sources of a process. Sources come and go
 *  on any thread, and whoever asks does so on a thread of its own: `read` runs there, and takes nothing but what may be
 *  read from any thread (core/counter.h, a lock that is never held for long). */
#ifndef WEFT_CORE_METRICS_H
#define WEFT_CORE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_kind {
    METRIC_COUNTER,             /*  only grows: what is read lower than before is told as before, since several values
                                    that are read one after the other may not fit together for a moment             */
    METRIC_GAUGE,
    METRIC_HISTOGRAM            /*  of times; core/histogram.h                                                      */
};

enum metric_type {              /*  the field           what is told    */
    METRIC_NUMBER,              /*  uint64_t            it              */
    METRIC_TIME,                /*  uint64_t, ns        seconds         */
    METRIC_TIMES                /*  const struct histogram *, ns; NULL: left out        seconds         */
};

/*  A row of a table. Rows with one name are one family and follow each other: a label tells them apart, and the first
 *  has the text. A name is in one table alone. */
struct metric {
    const char *name;           /*  by Prometheus' conventions: weft_messages_total; NULL ends a table  */
    enum metric_kind kind;
    enum metric_type type;
    const char *label, *value;  /*  "direction", "in"; or NULL                                          */
    size_t offset;              /*  of the field                                                        */
    const int64_t *bounds;      /*  of a histogram's buckets: ns, going up; TIME_FOREVER ends them      */
    const char *text;           /*  a sentence: what it counts, without a full stop                     */
};
#define METRIC_END { .name = NULL }

/*  Bounds for what takes from 10 us to 10 s, and for what takes from 1 ms to 3 hours. */
extern const int64_t metric_moments[], metric_jobs[];
enum { METRIC_BOUNDS_MAX = 32 };

enum { METRIC_LABELS = 4 };
struct metric_label {
    const char *name, *value;   /*  NULL: there is none */
};

struct metric_source {
    const struct metric *table;
    struct metric_label labels[METRIC_LABELS];      /*  of all its values; copied                       */
    size_t size;                                    /*  of the struct of values                         */
    void (*read) (void *arg, void *values);         /*  gets it zeroed                                  */
    void *arg;
};

struct metrics;
struct metrics_entry;

/*  WEFT_ENOMEM. */
int metrics_new (struct metrics **self);

/*  The sources that it still has go with it. */
void metrics_destroy (struct metrics **self);

/*  Any thread. After remove, which waits for a reader, `read` is not called any more: so what it reads from has to live
 *  from before the one until after the other. WEFT_ENOMEM. */
int metrics_add (struct metrics *self, const struct metric_source *source, struct metrics_entry **entry);
void metrics_remove (struct metrics_entry **entry);

/*  What goes through all values: for each family what it is, then its values. All of it under the registry's lock: it
 *  must not wait for anything. */
struct metrics_visitor {
    void (*family) (void *arg, const struct metric *metric);
    void (*value) (void *arg, const struct metric *metric, const struct metric_label *labels, const void *field);
    void *arg;
};
void metrics_visit (struct metrics *self, const struct metrics_visitor *visitor);

#endif
