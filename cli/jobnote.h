/*  jobnote.h - the values that a job was made of, as a text that is kept beside it
 *
 *  A ledger has it, so that a program after the one that read the input can tag what the job writes, and find the
 *  place of its results. One value after the other: what it is (a character), itself, and a NUL. Nothing at all is the
 *  job whose one value is its command. */
#ifndef WEFT_CLI_JOBNOTE_H
#define WEFT_CLI_JOBNOTE_H

#include "cli/arglist.h"

/*  `note` is emptied first. `names` are of columns, or none. */
int jobnote_write (struct arglist *args, struct arglist *names, const char *command, struct buffer *note);

/*  Both lists are emptied first; `names` may be NULL. WEFT_EPROTO: it is no such text. */
int jobnote_read (const void *note, size_t size, const char *command, struct arglist *args, struct arglist *names);

#endif
