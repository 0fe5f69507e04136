/*  jobsource.c - the arguments of job after job: sources combined, in step, in order or shuffled */

#include "cli/jobsource.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/columns.h"
#include "cli/jobinput.h"
#include "cli/shuffle.h"
#include "core/error.h"

/*  Inputs that go in step. */
struct group {
    size_t first, size;
    uint64_t position;
};

struct jobsource {
    struct jobsource_config config;
    struct jobinput_rules rules;
    struct columns columns;
    struct jobinput *inputs;
    char **current;             /*  the value of each input in this combination     */
    struct group *groups;
    size_t input_count, group_count;
    size_t loading;             /*  group whose values are wanted next              */
    int64_t gathered;           /*  combinations in the job that is being made      */
    size_t named;               /*  inputs whose header was read                    */
    struct shuffle shuffle;
    bool prepared, used_in;
};

struct jobsource *
jobsource_new (const struct jobsource_config *config)
{
    struct jobsource *self = calloc (1, sizeof *self);
    if (!self) {
        error_set (WEFT_ENOMEM, "out of memory");
        return NULL;
    }
    self->config = *config;
    self->rules.skip_blank = config->skip_blank;
    self->rules.waiting_fd = -1;
    if (records_delimiter (config->delimiter ? config->delimiter : "\n", self->rules.delimiter,
                           &self->rules.delimiter_size) < 0
        || (config->colsep && columns_init (&self->columns, config->colsep) < 0))
        jobsource_destroy (&self);
    return self;
}

void
jobsource_destroy (struct jobsource **self_p)
{
    struct jobsource *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->input_count; i++)
        jobinput_free (&self->inputs[i]);
    columns_free (&self->columns);
    free (self->inputs);
    free (self->current);
    free (self->groups);
    shuffle_free (&self->shuffle);
    free (self);
}

static struct jobinput *
jobsource_add (struct jobsource *self, bool linked)
{
    struct jobinput *inputs = realloc (self->inputs, (self->input_count + 1) * sizeof *inputs);
    if (!inputs) {
        error_set (WEFT_ENOMEM, "out of memory");
        return NULL;
    }
    self->inputs = inputs;
    struct jobinput *input = &inputs[self->input_count++];
    *input = (struct jobinput){ .rules = &self->rules, .linked = linked };
    return input;
}

int
jobsource_add_words (struct jobsource *self, char *const *words, size_t count, bool linked)
{
    struct jobinput *input = jobsource_add (self, linked);
    return input ? jobinput_words (input, words, count) : WEFT_ENOMEM;
}

int
jobsource_add_file (struct jobsource *self, const char *path, int in, bool linked)
{
    if (strcmp (path, "-") == 0) {
        if (self->used_in)
            return error_set (WEFT_EINVAL, "standard input can be only one of the sources");
        self->used_in = true;
    }
    struct jobinput *input = jobsource_add (self, linked);
    return input ? jobinput_file (input, path, in) : WEFT_ENOMEM;
}

int
jobsource_add_chain (struct jobsource *self, char *const *paths, size_t count, int in)
{
    for (size_t i = 1; i < count; i++)
        if (strcmp (paths[i], "-") != 0 && access (paths[i], R_OK) < 0)
            return error_errno ("cannot read %s", paths[i]);
    int rc = jobsource_add_file (self, paths[0], in, false);
    if (rc < 0)
        return rc;
    struct jobinput *input = &self->inputs[self->input_count - 1];
    input->chain = paths + 1;
    input->chain_count = count - 1;
    input->in = in;
    return 0;
}

/*  Which inputs go in step, and which come round again. */
static int
jobsource_prepare (struct jobsource *self)
{
    self->groups = calloc (self->input_count + 1, sizeof *self->groups);
    self->current = calloc (self->input_count + 1, sizeof *self->current);
    if (!self->groups || !self->current)
        return error_set (WEFT_ENOMEM, "out of memory");
    for (size_t i = 0; i < self->input_count; i++) {
        bool linked = i > 0 && (self->config.link || self->inputs[i].linked);
        if (!linked)
            self->groups[self->group_count++] = (struct group){ .first = i };
        self->groups[self->group_count - 1].size++;
        self->inputs[i].keep |= self->group_count > 1 || self->config.shuffle
                                || (self->config.link && self->input_count > 1);
    }
    self->shuffle.width = self->input_count;
    self->shuffle.bytes_max = JOBINPUT_KEPT_MAX;
    self->prepared = true;
    return 0;
}

/*  A source without any counts as one empty value, if there are others. */
static int
value_at (struct jobsource *self, struct jobinput *input, uint64_t index, char **value)
{
    static char empty[] = "";
    int rc = jobinput_at (input, index, value);
    if (rc != WEFT_EEND || input->count > 0 || self->input_count < 2 || (index > 0 && !self->config.link))
        return rc;
    *value = empty;
    return 1;
}

/*  Sets the values of a group at its position. With --link, shorter inputs begin
 *  again until the longest has ended. */
static int
group_load (struct jobsource *self, const struct group *group)
{
    bool fresh = false;
    for (size_t i = group->first; i < group->first + group->size; i++) {
        struct jobinput *input = &self->inputs[i];
        if (!self->config.link && self->current[i])
            continue;           /*  loaded before another one had to wait */
        int rc = value_at (self, input, group->position, &self->current[i]);
        if (rc == 1)
            fresh |= group->position < (input->count ? input->count : 1);
        else if (rc == WEFT_EEND && self->config.link && input->count)
            self->current[i] = input->kept[group->position % input->count];
        else
            return rc;
    }
    return fresh ? 1 : WEFT_EEND;
}

static void
group_forget (struct jobsource *self, const struct group *group)
{
    for (size_t i = group->first; i < group->first + group->size; i++)
        self->current[i] = NULL;
}

/*  The next combination: turns the last group, and at its end the one before. */
static int
jobsource_turn (struct jobsource *self)
{
    while (self->loading < self->group_count) {
        struct group *group = &self->groups[self->loading];
        int rc = group_load (self, group);
        if (rc == 1) {
            self->loading++;
            continue;
        }
        if (rc != WEFT_EEND || self->loading == 0)
            return rc;
        group_forget (self, group);
        group->position = 0;
        group = &self->groups[--self->loading];
        group_forget (self, group);
        group->position++;
    }
    return 1;
}

static int
jobsource_gather (struct jobsource *self, struct arglist *args)
{
    arglist_row (args);
    for (size_t i = 0; i < self->input_count; i++) {
        const char *value = self->current[i];
        int rc = self->columns.active ? columns_split (&self->columns, value, args)
                                      : arglist_add (args, value, strlen (value));
        if (rc < 0)
            return rc;
    }
    return 0;
}

/*  The next combination in order, or, when all are known, in random order. */
static int
jobsource_combination (struct jobsource *self)
{
    struct group *last = &self->groups[self->group_count - 1];
    int rc = 1;
    while (!self->shuffle.full && (rc = jobsource_turn (self)) == 1) {
        last->position++;
        self->loading = self->group_count - 1;
        if (!self->config.shuffle)
            return 1;
        rc = shuffle_add (&self->shuffle, self->current);
        group_forget (self, last);
        if (rc < 0)
            return rc;
    }
    if (rc == WEFT_EEND && self->config.shuffle)
        rc = shuffle_mix (&self->shuffle);
    if (rc < 0 || !self->shuffle.full)
        return rc;
    char *const *row = shuffle_next (&self->shuffle);
    if (row)
        memcpy (self->current, row, self->input_count * sizeof *row);
    return row ? 1 : WEFT_EEND;
}

int
jobsource_next (struct jobsource *self, struct arglist *args)
{
    if (!self->prepared && jobsource_prepare (self) < 0)
        return WEFT_ENOMEM;
    self->rules.waiting_fd = -1;
    if (self->group_count == 0)
        return WEFT_EEND;
    if (self->gathered == 0)
        arglist_clear (args);
    while (true) {
        int rc = jobsource_combination (self);
        if (rc == WEFT_EEND && self->gathered > 0) {
            self->gathered = 0;
            return 1;
        }
        if (rc != 1)
            return rc;
        if (self->config.per_job > 0 && (rc = jobsource_gather (self, args)) < 0)
            return rc;
        group_forget (self, &self->groups[self->group_count - 1]);
        if (++self->gathered >= self->config.per_job) {
            self->gathered = 0;
            return 1;
        }
    }
}

/*  1, 0 or an error. An input without any value has no name. */
static int
read_name (struct jobsource *self, struct jobinput *input, struct arglist *names)
{
    char *value;
    int rc = jobinput_name (input, &value);
    if (rc == WEFT_EEND)
        return 1;
    if (rc != 1)
        return rc;
    rc = self->columns.active ? columns_split (&self->columns, value, names)
                              : arglist_add (names, value, strlen (value));
    return rc < 0 ? rc : 1;
}

int
jobsource_header (struct jobsource *self, struct arglist *names)
{
    self->rules.waiting_fd = -1;
    for (; self->config.header && self->named < self->input_count; self->named++) {
        int rc = read_name (self, &self->inputs[self->named], names);
        if (rc != 1)
            return rc;
    }
    return 1;
}

int
jobsource_fd (const struct jobsource *self)
{
    return self->rules.waiting_fd;
}

bool
jobsource_count (const struct jobsource *self, uint64_t *count)
{
    uint64_t total = 1, group = 0;
    for (size_t i = 0; i < self->input_count; i++) {
        const struct jobinput *input = &self->inputs[i];
        uint64_t size = input->count;
        if (input->file && (self->config.skip_blank || input->chain_count || !records_count (&input->records, &size)))
            return false;
        size -= self->config.header && size > 0;
        if (size == 0 && self->input_count > 1)
            size = 1;
        if (i > 0 && self->config.link)
            group = size > group ? size : group;
        else if (i > 0 && input->linked)
            group = size < group ? size : group;
        else {
            total *= i > 0 ? group : 1;
            group = size;
        }
    }
    total *= group;
    uint64_t per_job = self->config.per_job > 1 ? (uint64_t) self->config.per_job : 1;
    *count = (total + per_job - 1) / per_job;
    return true;
}
