/*  sinkheads.c - the heads that a sink hears from, and the jobs that they have under way */

#include "cli/sinkheads.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/map.h"

/*  A job of a head, from its first event to its last. */
struct sink_job {
    struct map_node node;           /*  by number                           */
    uint64_t number;
    struct viewjob *view;
};

/*  A head, whose jobs are numbered from 1. */
struct sink_head {
    struct sink_head *next;
    struct jobout line;
    struct map jobs;
    char name[];
};

int
sinkheads_init (struct sinkheads *self, struct cli *cli, struct jobview *view, const char *tag)
{
    *self = (struct sinkheads) { .cli = cli, .view = view, .tagged = tag != NULL };
    return tag ? replace_compile (&self->tag, tag, 0) : 0;
}

static struct sink_head *
find_head (struct sinkheads *self, const char *name)
{
    struct sink_head *head = self->first;
    while (head && strcmp (head->name, name) != 0)
        head = head->next;
    if (head)
        return head;
    head = calloc (1, sizeof *head + strlen (name) + 1);
    if (!head || map_init (&head->jobs) < 0 || jobview_line (self->view, &head->line) < 0) {
        free (head);
        error_set (WEFT_ENOMEM, "out of memory");
        return NULL;
    }
    strcpy (head->name, name);
    head->next = self->first;
    self->first = head;
    return head;
}

static struct sink_job *
find_job (const struct sink_head *self, uint64_t number)
{
    struct map_node *node = map_first (&self->jobs, hash_number (number));
    while (node && map_entry (node, struct sink_job, node)->number != number)
        node = map_next (node);
    return node ? map_entry (node, struct sink_job, node) : NULL;
}

/*  What stands for the values of a job here is its command. */
static struct viewjob *
make_view (struct sinkheads *self, const weft_pool_event_t *event)
{
    char *command = strdup (event->command ? event->command : "");
    struct viewjob *view = NULL;
    struct buffer tag;
    buffer_init (&tag, 0);
    if (command && (!self->tagged || (replace_render (&self->tag, &command, 1, event->job, "", &tag) == 0
                                      && buffer_terminate (&tag) == 0)))
        view = viewjob_new (command, self->tagged ? buffer_data (&tag) : NULL, NULL);
    buffer_free (&tag);
    free (command);
    return view;
}

static struct sink_job *
add_job (struct sinkheads *self, struct sink_head *head, const weft_pool_event_t *event)
{
    struct sink_job *job = calloc (1, sizeof *job);
    struct viewjob *view = make_view (self, event);
    if (!job || !view) {
        free (job);
        viewjob_free (view);
        error_set (WEFT_ENOMEM, "out of memory");
        return NULL;
    }
    while (!jobout_has_room (&head->line, event->job)) {
        if (!self->told_order)
            cli_note (self->cli, "job %llu is so far behind that its output will not come in order",
                      (unsigned long long) head->line.turn);
        self->told_order = true;
        if (jobout_pass (&head->line) < 0)
            break;
    }
    *job = (struct sink_job){ .number = event->job, .view = view };
    jobview_begin (&head->line, view, event->job, event->job);
    map_add (&head->jobs, &job->node, hash_number (event->job));
    return job;
}

int
sinkheads_take (struct sinkheads *self, const weft_pool_event_t *event, struct jobout **line, struct viewjob **view)
{
    struct sink_head *head = find_head (self, event->head ? event->head : "");
    struct sink_job *job = head ? find_job (head, event->job) : NULL;
    if (head && !job)
        job = add_job (self, head, event);
    if (!job)
        return WEFT_ENOMEM;
    *line = &head->line;
    *view = job->view;
    if (event->kind == WEFT_POOL_DONE) {
        map_remove (&head->jobs, &job->node);
        free (job);
    }
    return 0;
}

int
sinkheads_finish (struct sinkheads *self)
{
    int rc = 0;
    for (struct sink_head *head = self->first; head && rc == 0; head = head->next)
        rc = jobout_finish (&head->line);
    return rc;
}

static void
free_head (struct sink_head *self)
{
    jobout_free (&self->line);
    for (size_t i = 0; i <= self->jobs.mask; i++)
        while (self->jobs.buckets[i]) {
            struct sink_job *job = map_entry (self->jobs.buckets[i], struct sink_job, node);
            map_remove (&self->jobs, &job->node);
            jobout_void (&self->line, &job->view->out);
            viewjob_free (job->view);
            free (job);
        }
    map_free (&self->jobs);
    free (self);
}

void
sinkheads_free (struct sinkheads *self)
{
    replace_free (&self->tag);
    while (self->first) {
        struct sink_head *head = self->first;
        self->first = head->next;
        free_head (head);
    }
}
