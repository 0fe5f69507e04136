/*  dryrun.c - prints the commands of jobs instead of running them */

#include "cli/dryrun.h"

#include <string.h>

#include "core/error.h"

static int
print_command (struct jobhead *head, int slots)
{
    struct viewjob *job = jobfeed_job (&head->feed);
    uint64_t order = head->feed.made;
    if (!job)
        return error_set (WEFT_ENOMEM, "out of memory");
    jobview_begin (&head->line, job, head->feed.list.number, order);
    int rc = viewjob_slot (job, (int) ((order - 1) % (unsigned) slots) + 1);
    if (rc == 0)
        rc = jobout_write (&head->line, &job->out, 1, job->command, strlen (job->command));
    if (rc == 0)
        rc = jobout_write (&head->line, &job->out, 1, "\n", 1);
    int rc2 = jobout_end (&head->line, &job->out);
    return rc < 0 ? rc : rc2;
}

/*  Until the input has something, the output can be written, or a signal comes. */
static int
dry_wait (struct jobhead *head, bool input)
{
    weft_pollitem_t items[] = { { .fd = head->cli->stop_fd, .events = WEFT_IN },
                                { .fd = jobfeed_fd (&head->feed), .events = WEFT_IN },
                                { .fd = outlet_fd (&head->view.outlet), .events = WEFT_OUT } };
    if (!input)
        items[1].fd = -1;
    return weft_poll (items, 3, -1);
}

int
dryrun_jobs (struct jobhead *head, int slots)
{
    int rc = 1;
    bool more = true;
    while (rc >= 0 && (more || outlet_fd (&head->view.outlet) >= 0) && head->cli->stopped (head->cli) == 0) {
        rc = more && !outlet_full (&head->view.outlet) ? jobfeed_next (&head->feed) : 0;
        if (rc == 1) {
            rc = print_command (head, slots);
            continue;
        }
        if (rc == JOBFEED_PASSED)
            continue;
        if (rc == WEFT_EEND) {
            more = false;
            rc = 0;
        }
        if (rc == 0)
            rc = outlet_flush (&head->view.outlet);
        if (rc == 0 && (more || outlet_fd (&head->view.outlet) >= 0))
            rc = dry_wait (head, more);
    }
    if (rc >= 0)
        return head->cli->stopped (head->cli) ? EXIT_RUN_ERROR : EXIT_OK;
    outlet_flush (&head->view.outlet);
    if (rc == WEFT_EEND)
        return EXIT_OK;
    cli_error (head->cli, "%s", weft_error ());
    return EXIT_RUN_ERROR;
}
