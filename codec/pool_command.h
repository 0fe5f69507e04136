/*  pool_command.h - a job's command line, as far as we read it ourselves
 *
 *  A command in which a shell would do nothing but split it at blanks is run
 *  without one, as make does: that halves the cost of a short job. */

#ifndef WEFT_CODEC_POOL_COMMAND_H
#define WEFT_CODEC_POOL_COMMAND_H

#include <stddef.h>

#include "core/buffer.h"
#include "weft.h"

/*  How many words the command has when it needs no shell, 0 when it does (or is
 *  blank). No more than strlen (command) / 2 + 1. */
size_t command_words (const char *command);

/*  Cuts the command into those words in place; `words` gets them and a NULL. */
void command_split (char *command, char **words);

/*  Adds the command of a spec as it was submitted, the arguments of a vector joined by spaces, or of a message its
 *  beginning, and a NUL. WEFT_EPROTO, WEFT_ENOMEM. */
int command_render (struct buffer *out, const void *spec, size_t size);

/*  Adds the beginning of a message as people can read it, of at most COMMAND_SHOWN bytes and ... where it goes on: what
 *  is no printable UTF-8 stands there as \n \t \\ or \xHH. No NUL follows. WEFT_ENOMEM. */
#define COMMAND_SHOWN 240
int command_show (struct buffer *out, const void *message, size_t size);

/*  Adds `text` to `out`, with `number` wherever `mark` stands (an empty mark stands
 *  nowhere), and a NUL. WEFT_ENOMEM. */
int command_fill (struct buffer *out, const char *text, size_t size, const char *mark, size_t mark_size, int number);

#endif
