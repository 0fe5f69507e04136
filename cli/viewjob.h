/*  viewjob.h - a job as far as it is shown: its texts, with the slot that it got, and what is kept of it */
#ifndef WEFT_CLI_VIEWJOB_H
#define WEFT_CLI_VIEWJOB_H

#include "cli/jobout.h"
#include "cli/results.h"

/*  Starts with what jobout needs, so that the two are one. */
struct viewjob {
    struct jobout_job out;
    uint64_t number;            /*  in the input, as a job log tells it         */
    int slot;                   /*  as it is known; 0: not yet                  */
    bool traced;                /*  its command was printed as it began         */
    char *command, *tag;        /*  with the slot in place of its mark          */
    const char *plain;          /*  the command with the mark; or NULL: no mark */
    const char *plain_tag;
    char *place;                /*  of its results; or NULL                     */
    const char *plain_place;
    struct results_job kept;
    char *row;                  /*  all but what it wrote, once it has ended    */
    uint64_t received;          /*  bytes of standard output in this attempt    */
    uint64_t heard;             /*  bytes of all that it wrote in this attempt  */
    struct viewjob *next;       /*  in a list that viewjob_free takes it out of ... */
    struct viewjob **link;      /*  ... by what points to it; NULL: in none     */
    char text[];                /*  all three, as they were submitted           */
};

/*  With copies of the texts; `tag` and `place` may be NULL. NULL when out of memory. */
struct viewjob *viewjob_new (const char *command, const char *tag, const char *place);

/*  NULL is none. */
void viewjob_free (struct viewjob *self);

/*  Into a list, at its beginning. */
void viewjob_link (struct viewjob *self, struct viewjob **list);

/*  The slot is known: puts it where its mark stands. WEFT_ENOMEM. */
int viewjob_slot (struct viewjob *self, int slot);

#endif
