/*  jobinput.h - one source of values: words, or what is read of files
 *
 *  Values are asked for by index: 0, 1, 2, ... and, where they are kept, from 0 again. */
#ifndef WEFT_CLI_JOBINPUT_H
#define WEFT_CLI_JOBINPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/records.h"

#define JOBINPUT_KEPT_MAX (256 << 20)   /*  bytes of values that are combined more than once, of all sources */

/*  What the sources of a command have in common. */
struct jobinput_rules {
    char delimiter[16];
    size_t delimiter_size;
    bool skip_blank;            /*  values of nothing but white space are passed over           */
    size_t kept_bytes;          /*  of all                                                      */
    int waiting_fd;             /*  where the last answer was 0                                 */
};

struct jobinput {
    struct jobinput_rules *rules;
    struct records records;
    char *const *chain;         /*  files that follow on this one                               */
    size_t chain_count;
    int in;                     /*  what "-" is among them                                      */
    bool file, linked;          /*  else words; goes along with the source before               */
    bool keep;                  /*  its values come round again                                 */
    bool ended;                 /*  `count` is all there is                                     */
    char **kept;                /*  words without the blank ones, or what was read              */
    size_t count, capacity;
};

/*  On a zeroed struct with its rules. The words stay the caller's, and must outlive it. */
int jobinput_words (struct jobinput *self, char *const *words, size_t count);
int jobinput_file (struct jobinput *self, const char *path, int in);

/*  The value at `index`. Never waits: 1; 0: nothing yet, wait for rules->waiting_fd; WEFT_EEND; or an error. */
int jobinput_at (struct jobinput *self, uint64_t index, char **value);

/*  The first value, which is none but a name, and is taken away: the same, but WEFT_EEND where there is none. */
int jobinput_name (struct jobinput *self, char **value);

void jobinput_free (struct jobinput *self);

#endif
