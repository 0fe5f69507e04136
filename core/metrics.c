/*  metrics.c - what a program can be asked about itself while it works */

#include "core/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/histogram.h"

#define FROM_1_TO_5(unit) (unit), (unit) * 5 / 2, (unit) * 5

const int64_t metric_moments[] = {
    FROM_1_TO_5 (10 * TIME_US), FROM_1_TO_5 (100 * TIME_US), FROM_1_TO_5 (TIME_MS), FROM_1_TO_5 (10 * TIME_MS),
    FROM_1_TO_5 (100 * TIME_MS), FROM_1_TO_5 (TIME_S), 10 * TIME_S, TIME_FOREVER
};
const int64_t metric_jobs[] = {
    FROM_1_TO_5 (TIME_MS), FROM_1_TO_5 (10 * TIME_MS), FROM_1_TO_5 (100 * TIME_MS), FROM_1_TO_5 (TIME_S),
    FROM_1_TO_5 (10 * TIME_S), FROM_1_TO_5 (100 * TIME_S), FROM_1_TO_5 (1000 * TIME_S), 10000 * TIME_S, TIME_FOREVER
};

struct metrics_entry {
    struct metrics *metrics;
    struct metrics_entry *next, **link;
    struct metric_source source;
    char *texts;                /*  of its labels                                           */
    void *values;               /*  source.size bytes, for a visit                          */
    uint64_t *shown;            /*  of each row that is a counter, what was told last       */
};

struct metrics {
    pthread_mutex_t lock;
    struct metrics_entry *first, **last;
};

int
metrics_new (struct metrics **handle)
{
    struct metrics *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    pthread_mutex_init (&self->lock, NULL);
    self->last = &self->first;
    *handle = self;
    return 0;
}

static void
entry_free (struct metrics_entry *self)
{
    free (self->texts);
    free (self->values);
    free (self->shown);
    free (self);
}

void
metrics_destroy (struct metrics **handle)
{
    struct metrics *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    while (self->first) {
        struct metrics_entry *entry = self->first;
        self->first = entry->next;
        entry_free (entry);
    }
    pthread_mutex_destroy (&self->lock);
    free (self);
}

/*  The labels' texts, one after the other; false for want of memory. */
static bool
copy_labels (struct metrics_entry *self)
{
    struct metric_label *labels = self->source.labels;
    size_t size = 1;
    for (int i = 0; i < METRIC_LABELS && labels[i].name; i++)
        size += strlen (labels[i].name) + strlen (labels[i].value) + 2;
    char *text = self->texts = malloc (size);
    for (int i = 0; text && i < METRIC_LABELS && labels[i].name; i++) {
        labels[i].name = strcpy (text, labels[i].name);
        text += strlen (text) + 1;
        labels[i].value = strcpy (text, labels[i].value);
        text += strlen (text) + 1;
    }
    return text != NULL;
}

int
metrics_add (struct metrics *self, const struct metric_source *source, struct metrics_entry **handle)
{
    size_t rows = 0;
    while (source->table[rows].name)
        rows++;
    struct metrics_entry *entry = calloc (1, sizeof *entry);
    if (!entry)
        return error_plain (WEFT_ENOMEM);
    entry->metrics = self;
    entry->source = *source;
    entry->values = calloc (1, source->size);
    entry->shown = calloc (rows + 1, sizeof *entry->shown);
    if (!copy_labels (entry) || !entry->values || !entry->shown) {
        entry_free (entry);
        return error_plain (WEFT_ENOMEM);
    }
    pthread_mutex_lock (&self->lock);
    entry->link = self->last;
    *self->last = entry;
    self->last = &entry->next;
    pthread_mutex_unlock (&self->lock);
    *handle = entry;
    return 0;
}

void
metrics_remove (struct metrics_entry **handle)
{
    struct metrics_entry *entry = *handle;
    if (!entry)
        return;
    *handle = NULL;
    struct metrics *self = entry->metrics;
    pthread_mutex_lock (&self->lock);
    *entry->link = entry->next;
    if (entry->next)
        entry->next->link = entry->link;
    else
        self->last = entry->link;
    pthread_mutex_unlock (&self->lock);
    entry_free (entry);
}

/* ------------------------------------------------------------------------ a visit */

/*  Its values as they are now; a counter never goes back. */
static void
entry_read (struct metrics_entry *self)
{
    memset (self->values, 0, self->source.size);
    self->source.read (self->source.arg, self->values);
    for (size_t i = 0; self->source.table[i].name; i++) {
        const struct metric *metric = &self->source.table[i];
        uint64_t *value = (void *) ((char *) self->values + metric->offset);
        if (metric->kind != METRIC_COUNTER)
            continue;
        if (*value < self->shown[i])
            *value = self->shown[i];
        self->shown[i] = *value;
    }
}

static const void *
field_of (const struct metrics_entry *self, const struct metric *metric)
{
    return (const char *) self->values + metric->offset;
}

static bool
is_left_out (const struct metrics_entry *self, const struct metric *metric)
{
    return metric->type == METRIC_TIMES && !*(const struct histogram *const *) field_of (self, metric);
}

/*  Of the rows `from` to `to`, which are one family, for all sources from `first` on that have this table. */
static void
visit_family (const struct metrics_entry *first, size_t from, size_t to, const struct metrics_visitor *visitor)
{
    const struct metric *table = first->source.table;
    bool told = false;
    for (const struct metrics_entry *each = first; each; each = each->next)
        for (size_t i = from; each->source.table == table && i < to; i++) {
            if (is_left_out (each, &table[i]))
                continue;
            if (!told)
                visitor->family (visitor->arg, &table[from]);
            told = true;
            visitor->value (visitor->arg, &table[i], each->source.labels, field_of (each, &table[i]));
        }
}

static bool
is_first_of_table (const struct metrics *self, const struct metrics_entry *entry)
{
    const struct metrics_entry *each = self->first;
    while (each->source.table != entry->source.table)
        each = each->next;
    return each == entry;
}

void
metrics_visit (struct metrics *self, const struct metrics_visitor *visitor)
{
    pthread_mutex_lock (&self->lock);
    for (struct metrics_entry *each = self->first; each; each = each->next)
        entry_read (each);
    for (struct metrics_entry *each = self->first; each; each = each->next) {
        const struct metric *table = each->source.table;
        if (!is_first_of_table (self, each))
            continue;
        for (size_t from = 0, to; table[from].name; from = to) {
            for (to = from; table[to].name && strcmp (table[to].name, table[from].name) == 0; )
                to++;
            visit_family (each, from, to, visitor);
        }
    }
    pthread_mutex_unlock (&self->lock);
}
