/*  pool_tasks_back.c - messages that are taken back: given back, cancelled, dropped, and which there are */

#include "patterns/pool_task.h"

#include <stdlib.h>

void
task_give_back (struct tasks *self, struct task_list *list)
{
    struct tasks_job *job = task_list_take (list);
    task_put (self, job, POOL_RECORD_RETURNED, -1, 0);
    free (job);
}

void
tasks_stop (struct tasks *self)
{
    pthread_mutex_lock (&self->lock);
    while (self->queue.first)
        task_give_back (self, &self->queue);
    while (self->suspects.first)
        task_give_back (self, &self->suspects);
    pthread_mutex_unlock (&self->lock);
    tasks_turn (self);
}

static bool
is_meant (uint64_t id, int64_t attempt, const struct tasks_job *job)
{
    return id == 0 || (id == job->id && attempt == job->attempt);
}

/*  Takes the jobs that are meant from a list, with a record that says how they ended. */
static void
cancel_listed (struct tasks *self, struct task_list *list, uint64_t id, int64_t attempt, int kind)
{
    struct task_list all = *list;
    struct tasks_job *job;
    if (!list->first)
        return;
    task_list_init (list);
    while ((job = task_list_take (&all))) {
        if (!is_meant (id, attempt, job)) {
            task_list_add (list, job);
            continue;
        }
        task_put (self, job, kind, job->slot, kind == WEFT_POOL_DONE ? WEFT_JOB_CANCELLED : 0);
        if (job->slot >= 0)
            task_release_slot (self, job->slot);
        free (job);
    }
}

void
tasks_cancel (struct tasks *self, uint64_t id, int64_t attempt, bool running)
{
    pthread_mutex_lock (&self->lock);
    cancel_listed (self, &self->queue, id, attempt, POOL_RECORD_RETURNED);
    cancel_listed (self, &self->suspects, id, attempt, POOL_RECORD_RETURNED);
    if (running) {
        cancel_listed (self, &self->announced, id, attempt, WEFT_POOL_DONE);
        cancel_listed (self, &self->ready, id, attempt, WEFT_POOL_DONE);
        for (int i = 0; i < self->started; i++)
            if (self->threads[i].job && is_meant (id, attempt, self->threads[i].job))
                task_stop (&self->threads[i], WEFT_JOB_CANCELLED);
    }
    pthread_mutex_unlock (&self->lock);
}

static int
put_listed (const struct task_list *list, bool begun, struct buffer *out, uint32_t *count)
{
    int rc = 0;
    for (const struct tasks_job *job = list->first; rc == 0 && job; job = job->next, ++*count)
        rc = pool_put_held (out, job->id, job->attempt, begun);
    return rc;
}

/*  All at one moment: what is not among the jobs has its end in the outbox. */
int
tasks_put_held (struct tasks *self, struct buffer *out, uint32_t *count)
{
    pthread_mutex_lock (&self->lock);
    int rc = task_pass_on (self);
    task_take_in (self);
    rc = rc ? rc : task_pass_on (self);
    rc = rc ? rc : put_listed (&self->queue, false, out, count);
    rc = rc ? rc : put_listed (&self->suspects, false, out, count);
    rc = rc ? rc : put_listed (&self->announced, true, out, count);
    rc = rc ? rc : put_listed (&self->ready, true, out, count);
    for (int i = 0; rc == 0 && i < self->started; i++) {
        const struct weft_task *task = &self->threads[i];
        if (!task->job || task->silent)
            continue;
        rc = pool_put_held (out, task->job->id, task->job->attempt, true);
        ++*count;
    }
    pthread_mutex_unlock (&self->lock);
    return rc;
}

static void
drop_listed (struct tasks *self, struct task_list *list)
{
    struct tasks_job *job;
    while ((job = task_list_take (list))) {
        if (job->slot >= 0)
            task_release_slot (self, job->slot);
        free (job);
    }
}

int
tasks_drop (struct tasks *self)
{
    pthread_mutex_lock (&self->lock);
    int dropped = self->queue.count + self->suspects.count + self->announced.count + self->ready.count;
    drop_listed (self, &self->queue);
    drop_listed (self, &self->suspects);
    drop_listed (self, &self->announced);
    drop_listed (self, &self->ready);
    for (int i = 0; i < self->started; i++) {
        struct weft_task *task = &self->threads[i];
        if (!task->job || task->silent)
            continue;
        task->silent = true;
        dropped++;
        task_stop (task, WEFT_JOB_CANCELLED);
    }
    buffer_clear (&self->done);
    buffer_clear (&self->taken_in);
    self->done_count = self->taken_count = 0;
    self->held = self->running;
    self->waiting = 0;
    pthread_cond_broadcast (&self->room);
    pthread_mutex_unlock (&self->lock);
    return dropped;
}
