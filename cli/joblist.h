/*  joblist.h - what was typed, as a list of jobs: a command, its sources, its tag */
#ifndef WEFT_CLI_JOBLIST_H
#define WEFT_CLI_JOBLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/jobsource.h"
#include "cli/replace.h"
#include "core/option.h"

/*  Stands for {%} until the slot is known, see weft_job_t.slot_mark. */
#define JOBLIST_SLOT_MARK "\001{%}\001"

#define JOBLIST_COMMAND_MAX 131071      /*  bytes that Linux takes as one argument of sh -c */

struct joblist_options {
    struct option_list files;   /*  -a          */
    bool null;
    char *delimiter;
    char *colsep;
    int64_t per_job;            /*  -n, -N      */
    bool skip_blank, link, shuffle;
    char *header;
    bool messages;              /*  not commands                                */
    int input;                  /*  their format and 1; 0: they are values as ever */
};

extern const struct option joblist_options[];

struct joblist {
    struct jobsource *source;
    struct arglist args;
    struct replace command, tag;
    bool header, named;         /*  the first values are names; they were read  */
    struct arglist names;       /*  of columns, or none                         */
    uint64_t number;            /*  of the last job                         */
    bool from_in;               /*  no source was named: values come from `in` */
    bool messages;              /*  nothing is quoted, and a job may be as large as a value */
};

/*  `operands` are the command's words and then ::: and the like; they must outlive the
 *  list. Without any source, values come from `in`. `tag` is a template, or NULL. */
int joblist_init (struct joblist *self, const struct joblist_options *options, char **operands, int count, int in,
                  const char *tag);

/*  The operands are files (or standard input, when there is none) whose values are commands. */
int joblist_init_files (struct joblist *self, const struct joblist_options *options, char **operands, int count, int in,
                        const char *tag);

/*  No sources: jobs are given by joblist_given. */
int joblist_init_given (struct joblist *self, const struct joblist_options *options, const char *tag);
void joblist_free (struct joblist *self);

/*  Never waits. 1: `command` and `tag` (emptied first) hold those of the next job,
 *  with their NUL; 0: nothing yet, wait until joblist_fd can be read; WEFT_EEND; or an
 *  error, which ends it. */
int joblist_next (struct joblist *self, struct buffer *command, struct buffer *tag);

/*  The job of that number is this command, which is its one value, too. 1, or an error. */
int joblist_given (struct joblist *self, uint64_t number, const char *text, struct buffer *command, struct buffer *tag);

/*  The values of a job that was made before are in `args`, their names, if they have any, in `names`: its tag. 0, or
 *  an error. */
int joblist_tag (struct joblist *self, uint64_t number, struct buffer *tag);
int joblist_fd (const struct joblist *self);

/*  Are there operands that are sources (::: or ::::)? */
bool joblist_has_sources (char *const *operands, int count);

#endif
